import { writeSync } from "node:fs";
import { features as supported } from "../../container/launch/features.ts";
import { exactly } from "../arguments.ts";
import type { RuntimeCommand } from "../context.ts";

/** `features`: what this runtime does, in the form of the specification's features.md. */
const features: RuntimeCommand = {
  flags: {},
  run(_, given) {
    exactly(given, 0, "features");
    writeSync(1, `${JSON.stringify(supported(), null, 4)}\n`);
    return 0;
  },
};
export default features;

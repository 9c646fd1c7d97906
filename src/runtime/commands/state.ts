import { writeSync } from "node:fs";
import { exactly } from "../arguments.ts";
import { directoryOf, type RuntimeCommand } from "../context.ts";
import { conditionOf, stateOf } from "../status.ts";
import { readDocument } from "../store.ts";

/** `state ID`: the JSON of the runtime specification's "State". */
const state: RuntimeCommand = {
  flags: {},
  run(context, given) {
    const [id = ""] = exactly(given, 1, "state");
    const document = readDocument(context.root, id);
    const condition = conditionOf(directoryOf(context, id), document);
    writeSync(1, JSON.stringify(stateOf(document, condition, ""), null, 2));
    return 0;
  },
};
export default state;

import { plan } from "../../client/system.ts";
import { command } from "../command.ts";
import { planRequest } from "../container/plan.ts";
import { out } from "../output.ts";

export default command({
  name: "script",
  usage: "run [OPTIONS] IMAGE [COMMAND] [ARG...]",
  summary: "Print a shell script that makes the same container by hand",
  flags: {},
  args: [1, Number.POSITIVE_INFINITY],
  stopAtFirst: true,
  async run({ engine }, _, argv) {
    out(await plan(engine, "script", planRequest("script", argv)));
    return 0;
  },
});

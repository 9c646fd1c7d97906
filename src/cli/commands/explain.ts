import { plan } from "../../client/system.ts";
import { command } from "../command.ts";
import { planRequest } from "../container/plan.ts";
import { out } from "../output.ts";

export default command({
  name: "explain",
  usage: "run [OPTIONS] IMAGE [COMMAND] [ARG...]",
  summary: "Say how a container would be made, step by step",
  flags: {},
  args: [1, Number.POSITIVE_INFINITY],
  stopAtFirst: true,
  async run({ engine }, _, argv) {
    out(await plan(engine, "explain", planRequest("explain", argv)));
    return 0;
  },
});

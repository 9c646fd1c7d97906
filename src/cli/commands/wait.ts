import { waitContainer } from "../../client/containers.ts";
import { EngineError, toldBy } from "../../client/error.ts";
import { command } from "../command.ts";
import { err, out } from "../output.ts";

export default command({
  name: "wait",
  aliases: ["container wait"],
  usage: "CONTAINER [CONTAINER...]",
  summary: "Wait until containers end, then print their exit codes",
  flags: {},
  args: [1, Number.POSITIVE_INFINITY],
  async run({ engine }, _, names) {
    let code = 0;
    for (const name of names) {
      try {
        const { ended } = await waitContainer(engine, name, "not-running");
        out(`${(await ended).StatusCode}\n`);
      } catch (error) {
        if (!(error instanceof EngineError)) throw error;
        err(`${toldBy(error)}\n`);
        code = 1;
      }
    }
    return code;
  },
});

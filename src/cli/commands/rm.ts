import { removeContainer } from "../../client/containers.ts";
import { EngineError, toldBy } from "../../client/error.ts";
import { command } from "../command.ts";
import { bool } from "../flags/flag.ts";
import { err, out } from "../output.ts";

export default command({
  name: "rm",
  aliases: ["container rm", "container remove"],
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Remove containers",
  flags: {
    force: bool("Remove also running containers (with SIGKILL)", { short: "f" }),
    link: bool("Remove only the link", { short: "l" }),
    volumes: bool("Remove anonymous volumes too", { short: "v" }),
  },
  args: [1, Number.POSITIVE_INFINITY],
  async run({ engine }, { force, link, volumes: v }, names) {
    let code = 0;
    for (const typed of names) {
      const name = typed.replace(/^\/+|\/+$/g, "");
      try {
        await removeContainer(engine, name, { force, v, link });
        out(`${typed}\n`);
      } catch (error) {
        if (!(error instanceof EngineError)) throw error;
        err(`${toldBy(error)}\n`);
        // What is not there need not be forced away.
        if (!(force && error.status === 404)) code = 1;
      }
    }
    return code;
  },
});

import { EngineError, toldBy } from "../../client/error.ts";
import { removeImage } from "../../client/images.ts";
import { command } from "../command.ts";
import { bool } from "../flags/flag.ts";
import { err, out } from "../output.ts";

export default command({
  name: "rmi",
  aliases: ["image rm", "image remove"],
  usage: "[OPTIONS] IMAGE [IMAGE...]",
  summary: "Remove images",
  flags: {
    force: bool("Remove also what a stopped container uses, and all its names", { short: "f" }),
    "no-prune": bool("Keep parents without a name"),
  },
  args: [1, Number.POSITIVE_INFINITY],
  async run({ engine }, options, names) {
    let code = 0;
    for (const name of names) {
      try {
        const done = await removeImage(engine, name, { force: options.force, noprune: options["no-prune"] });
        out(
          done.map((it) => (it.Deleted ? `Deleted: ${it.Deleted}\n` : `Untagged: ${it.Untagged}\n`)).join(""),
        );
      } catch (error) {
        if (!(error instanceof EngineError)) throw error;
        err(`${toldBy(error)}\n`);
        if (!(options.force && error.status === 404)) code = 1;
      }
    }
    return code;
  },
});

import { EngineError } from "../../client/error.ts";
import { removeNetwork } from "../../client/networks.ts";
import { command } from "../command.ts";
import { each } from "../each.ts";
import { bool } from "../flags/flag.ts";

export default command({
  name: "network rm",
  aliases: ["network remove"],
  usage: "NETWORK [NETWORK...]",
  summary: "Remove networks",
  flags: { force: bool("Do not mind networks that do not exist", { short: "f" }) },
  args: [1, Number.POSITIVE_INFINITY],
  run: ({ engine }, { force }, names) =>
    each(names, async (name) => {
      try {
        await removeNetwork(engine, name);
        return true;
      } catch (error) {
        if (!force || !(error instanceof EngineError) || error.status !== 404) throw error;
        return false;
      }
    }),
});

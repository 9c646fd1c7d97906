import { inspectNetwork, networkPath } from "../../client/networks.ts";
import { command } from "../command.ts";
import { bool, text } from "../flags/flag.ts";
import { inspectAll } from "../inspection.ts";

export default command({
  name: "network inspect",
  usage: "[OPTIONS] NETWORK [NETWORK...]",
  summary: "Show everything about networks",
  flags: {
    format: text("Format: json or a TEMPLATE of Go", { short: "f" }),
    path: bool("Add what packets pass, as network path shows it (Cais)"),
    verbose: bool("The same as --path", { short: "v" }),
  },
  args: [1, Number.POSITIVE_INFINITY],
  run: ({ engine }, { format, path, verbose }, names) =>
    inspectAll(names, format, async (name) => ({
      ...(await inspectNetwork(engine, name)),
      ...((path || verbose) && { Cais: await networkPath(engine, name) }),
    })),
});

import { inspectNetwork } from "../../client/networks.ts";
import { command } from "../command.ts";
import { bool, text } from "../flags/flag.ts";
import { inspectAll } from "../inspection.ts";

export default command({
  name: "network inspect",
  usage: "[OPTIONS] NETWORK [NETWORK...]",
  summary: "Show everything about networks",
  flags: {
    format: text("Format: json or a TEMPLATE of Go", { short: "f" }),
    verbose: bool("Show both ends of every cable, routes, and rules with their counters", { short: "v" }),
  },
  args: [1, Number.POSITIVE_INFINITY],
  run: ({ engine }, { format, verbose }, names) =>
    inspectAll(names, format, (name) => inspectNetwork(engine, name, verbose)),
});

import { inspectNetwork } from "../../client/networks.ts";
import { command } from "../command.ts";
import { text } from "../flags/flag.ts";
import { inspectAll } from "../inspection.ts";

export default command({
  name: "network inspect",
  usage: "[OPTIONS] NETWORK [NETWORK...]",
  summary: "Show everything about networks",
  flags: {
    format: text("Format: json or a TEMPLATE of Go", { short: "f" }),
  },
  args: [1, Number.POSITIVE_INFINITY],
  run: ({ engine }, { format }, names) => inspectAll(names, format, (name) => inspectNetwork(engine, name)),
});

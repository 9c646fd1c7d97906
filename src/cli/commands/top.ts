import { containerTop } from "../../client/containers.ts";
import { command } from "../command.ts";
import { alignColumns } from "../format/table.ts";
import { out } from "../output.ts";

/** Docker's columns here are wider than those of lists. */
const WIDTH = 20;

export default command({
  name: "top",
  aliases: ["container top"],
  usage: "CONTAINER [ps OPTIONS]",
  summary: "Show the processes of a container",
  flags: {},
  args: [1, Number.POSITIVE_INFINITY],
  stopAtFirst: true,
  async run({ engine }, _, [name = "", ...ps]) {
    const { Titles, Processes } = await containerTop(engine, name, ps.length ? ps.join(" ") : undefined);
    out(`${alignColumns([Titles, ...(Processes ?? [])].map((row) => row.join("\t")).join("\n"), WIDTH)}\n`);
    return 0;
  },
});

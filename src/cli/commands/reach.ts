import { reachOf } from "../../client/system.ts";
import type { Reach } from "../../wire/reach.ts";
import { command } from "../command.ts";
import { Failure } from "../failure.ts";
import { bool } from "../flags/flag.ts";
import { alignColumns } from "../format/table.ts";
import { out } from "../output.ts";

export default command({
  name: "reach",
  usage: "[OPTIONS] CONTAINER:PORT[/PROTO]",
  summary: "Say who can reach a port of a container, and which rule decides",
  flags: { json: bool("Write it as JSON") },
  args: [1, 1],
  async run({ engine }, { json }, [text = ""]) {
    const [, container = "", port = ""] = /^(.+):(\d+(?:\/\w+)?)$/.exec(text) ?? [];
    if (container === "")
      throw new Failure(`invalid target '${text}': write CONTAINER:PORT or CONTAINER:PORT/udp`);
    const reach = await reachOf(engine, container, port);
    out(json ? `${JSON.stringify(reach, null, 4)}\n` : told(reach));
    return 0;
  },
});

function told({ container, port, listening, open, ways, obstacles }: Reach): string {
  const rows = ways.map(({ from, at, reached, why, rule, packets }) => {
    const seen = packets === null ? "" : ` (${packets} ${packets === 1 ? "packet" : "packets"})`;
    const answer = !reached ? "no" : open ? "yes" : "no listener";
    return [from, at, answer, rule === "" ? why : `${why}: rule "${rule}"${seen}`].join("\t");
  });
  return [
    `${container} ${port}: ${heard(listening, open)}\n`,
    rows.length > 0
      ? alignColumns(["FROM\tAT\tREACHED\tWHY", ...rows, ""].join("\n"))
      : "It is on no network: only its own processes reach it.\n",
    ...obstacles.map((sentence) => `${sentence}\n`),
  ].join("");
}

function heard(listening: readonly string[], open: boolean): string {
  if (listening.length === 0) return "nothing listens there";
  const where = listening.join(" and ");
  return open ? `listens on ${where}` : `listens only on ${where}, which nobody else reaches`;
}

import { networkPath } from "../../client/networks.ts";
import type { NetworkPath, PathLink } from "../../wire/path.ts";
import { command } from "../command.ts";
import { Failure } from "../failure.ts";
import { text } from "../flags/flag.ts";
import { out } from "../output.ts";

export default command({
  name: "network path",
  usage: "[OPTIONS] NETWORK",
  summary: "Show what packets of a network pass: interfaces, addresses, routes, rules with counters",
  flags: { format: text("Format: json") },
  args: [1, 1],
  async run({ engine }, { format }, [name = ""]) {
    if (format !== undefined && format !== "json")
      throw new Failure(`unknown format ${format}: there is json`);
    const path = await networkPath(engine, name);
    out(format === "json" ? `${JSON.stringify(path, null, 4)}\n` : pathText(path));
    return 0;
  },
});

/** From the host inwards, then the rules. */
function pathText({ Host, Containers, Rules }: NetworkPath): string {
  const lines = Host === null ? ["no interface on the host"] : linkLines(Host, "");
  for (const { Name, Inside, Outside } of Containers) {
    lines.push(`  container ${Name}`);
    if (Outside) lines.push(...linkLines(Outside, "    "));
    lines.push(...linkLines(Inside, Outside ? "      " : "    "));
  }
  if (Rules.length > 0) lines.push("rules");
  for (const { Chain, Comment, Packets, Bytes, Rule } of Rules) {
    lines.push(`  ${Comment}: ${Packets} packets, ${Bytes} bytes`);
    lines.push(`    ${Chain}: ${Rule}`);
  }
  return `${lines.join("\n")}\n`;
}

function linkLines(link: PathLink, indent: string): string[] {
  const state = link.Up ? "up" : "down";
  return [
    `${indent}${link.Index}: ${link.Name} ${link.MacAddress} mtu ${link.MTU} ${state}`,
    ...link.Addresses.map((address) => `${indent}   address ${address}`),
    ...link.Routes.map((route) => `${indent}   route ${route}`),
  ];
}

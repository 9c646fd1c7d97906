import { inspectContainer } from "../../client/containers.ts";
import type { PortBinding } from "../../wire/container.ts";
import { command } from "../command.ts";
import { Failure } from "../failure.ts";
import { out } from "../output.ts";

export default command({
  name: "port",
  aliases: ["container port"],
  usage: "CONTAINER [PRIVATE_PORT[/PROTO]]",
  summary: "Show where the ports of a container are published",
  flags: {},
  args: [1, 2],
  async run({ engine }, _, [name = "", asked]) {
    const ports = (await inspectContainer(engine, name)).NetworkSettings.Ports ?? {};
    if (asked !== undefined) {
      const key = asked.includes("/") ? asked : `${asked}/tcp`;
      if (!/^\d+\/\w+$/.test(key))
        throw new Failure(`Error: invalid port (${asked}): write a number, or number/protocol`);
      const bindings = ports[key];
      if (!bindings?.length) throw new Failure(`Error: No public port '${asked}' published for ${name}`);
      const lines = bindings.map((binding) => `${address(binding)}\n`);
      out(lines.sort(natural).join(""));
      return 0;
    }
    const lines = Object.entries(ports).flatMap(([key, bindings]) =>
      (bindings ?? []).map((binding) => `${key} -> ${address(binding)}\n`),
    );
    out(lines.sort(natural).join(""));
    return 0;
  },
});

function address({ HostIp = "", HostPort = "" }: PortBinding): string {
  return HostIp.includes(":") ? `[${HostIp}]:${HostPort}` : `${HostIp}:${HostPort}`;
}

/** Numbers within a text are compared as numbers: 80 comes before 443. */
function natural(left: string, right: string): number {
  const parts = (text: string): readonly string[] => text.match(/\d+|\D/g) ?? [];
  const [a, b] = [parts(left), parts(right)];
  for (const [index, one] of a.entries()) {
    const other = b[index] ?? "";
    if (one === other) continue;
    const numbers = Number(one) - Number(other);
    return numbers || (one < other ? -1 : 1);
  }
  return a.length - b.length;
}

import { net } from "../../host/builtin.ts";
import type { PortBinding } from "../../wire/container.ts";

export interface Ports {
  readonly exposed: Readonly<Record<string, object>>;
  readonly bindings: Readonly<Record<string, readonly PortBinding[]>>;
}

/** `-p` and `--expose` together. @throws Error naming the option that is wrong, in Docker's words */
export function parsePorts(publish: readonly string[], expose: readonly string[]): Ports {
  const exposed: Record<string, object> = {};
  const bindings: Record<string, PortBinding[]> = {};
  for (const { key, binding } of publish.flatMap(publication)) {
    exposed[key] = {};
    bindings[key] = [...(bindings[key] ?? []), binding];
  }
  for (const text of expose) {
    if (text.includes(":")) throw new Error(`invalid port format for --expose: ${text}`);
    const { numbers, protocol } = containerPorts(text, `invalid range format for --expose: ${text}`);
    for (const port of numbers) exposed[`${port}/${protocol}`] = {};
  }
  return { exposed, bindings };
}

interface Publication {
  readonly key: string;
  readonly binding: PortBinding;
}

function publication(given: string): readonly Publication[] {
  const text = given.includes("=") ? longForm(given) : given;
  const { ip, host, inner } = split(text);
  if (inner === "") throw new Error(`No port specified: ${text}<empty>`);
  const { numbers, protocol } = containerPorts(inner, `Invalid containerPort: ${inner.split("/")[0]}`);
  const hosts = host === "" ? undefined : range(host, `Invalid hostPort: ${host}`);
  if (hosts && hosts.length !== numbers.length && numbers.length !== 1)
    throw new Error(
      `Invalid ranges specified for container and host Ports: ${inner.split("/")[0]} and ${host}`,
    );
  return numbers.map((port, i) => ({
    key: `${port}/${protocol}`,
    binding: {
      HostIp: ip,
      // A range for one port means "any free port of these".
      HostPort: numbers.length === 1 ? host : String(hosts?.[i] ?? ""),
    },
  }));
}

/** `[ip:][hostPort]:containerPort`, read from its end: an IPv6 address has colons of its own. */
function split(text: string): { readonly ip: string; readonly host: string; readonly inner: string } {
  const parts = text.split(":");
  const inner = parts.pop() ?? "";
  const host = parts.pop() ?? "";
  const address = parts.join(":");
  const bracketed = /^\[(.*)\]$/.exec(address)?.[1];
  const open = host.endsWith("]") || (address.startsWith("[") && !address.includes("]"));
  const problem = open ? "missing ']' in address" : "too many colons in address";
  if (host.endsWith("]") || (address.includes(":") && bracketed === undefined))
    throw new Error(`Invalid ip address ${address}: address ${address}:: ${problem}`);
  const ip = bracketed ?? address;
  if (ip !== "" && net().isIP(ip) === 0) throw new Error(`Invalid ip address: ${ip}`);
  return { ip, host, inner };
}

/** `target=80,published=8080,protocol=udp`, the long form; what only a swarm can do is refused. */
function longForm(text: string): string {
  const fields: Record<string, string> = {};
  for (const field of text.split(",")) {
    const [key = "", value = "", ...more] = field.split("=");
    if (more.length > 0 || value === "" || !["target", "published", "protocol", "mode"].includes(key))
      throw new Error(`invalid field key ${key}`);
    fields[key] = value;
  }
  const { target = "", published = "", protocol = "tcp", mode = "ingress" } = fields;
  if (mode !== "ingress" && mode !== "host") throw new Error(`invalid publish mode value (${mode})`);
  return `${published}:${target}/${protocol}`;
}

function containerPorts(
  text: string,
  wrong: string,
): { readonly numbers: readonly number[]; readonly protocol: string } {
  const [ports = "", protocol = "tcp", ...more] = text.split("/");
  const known = protocol.toLowerCase();
  if (!["tcp", "udp", "sctp"].includes(known) || more.length > 0)
    throw new Error(`Invalid proto: ${protocol}`);
  return { numbers: range(ports, wrong), protocol: known };
}

/** Numbers from 1 on: nothing can listen on port 0, and any free host port is asked for by leaving it out. */
function range(text: string, wrong: string): readonly number[] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (!match || first < 1 || first > 65535 || last > 65535 || last < first) throw new Error(wrong);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

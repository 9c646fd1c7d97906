import type { PortBinding } from "../../wire/container.ts";

export interface Ports {
  readonly exposed: Readonly<Record<string, object>>;
  readonly bindings: Readonly<Record<string, readonly PortBinding[]>>;
}

/** `-p` and `--expose` together. @throws Error naming the option that is wrong */
export function parsePorts(publish: readonly string[], expose: readonly string[]): Ports {
  const exposed: Record<string, object> = {};
  const bindings: Record<string, PortBinding[]> = {};
  for (const text of publish) {
    for (const { key, binding } of publication(text)) {
      exposed[key] = {};
      bindings[key] = [...(bindings[key] ?? []), binding];
    }
  }
  for (const text of expose) {
    if (text.includes(":")) throw new Error(`invalid port format for --expose: ${text}`);
    const { numbers, protocol } = containerPorts(text, `invalid range format for --expose: ${text}`);
    for (const port of numbers) exposed[`${port}/${protocol}`] = {};
  }
  return { exposed, bindings };
}

function* publication(text: string): Generator<{ readonly key: string; readonly binding: PortBinding }> {
  const match = /^(?:(\[[^\]]*\]|[^:[\]]*|[0-9a-fA-F:]+(?=:[^:]*:[^:]*$)):)?(?:([^:]*):)?([^:]+)$/.exec(text);
  // One colon is hostPort:port, two are ip:hostPort:port.
  const [ip, hostText, inner] =
    match?.[2] === undefined ? ["", match?.[1] ?? "", match?.[3]] : match.slice(1, 4);
  if (inner === undefined)
    throw new Error(`invalid publish opts format (should be name=value but got '${text}')`);
  const { numbers, protocol } = containerPorts(inner, `invalid containerPort: ${inner.split("/")[0]}`);
  const hosts = hostText === "" ? undefined : range(hostText ?? "", `invalid hostPort: ${hostText}`);
  if (hosts && hosts.length !== numbers.length && numbers.length !== 1)
    throw new Error(
      `invalid ranges specified for container and host Ports: ${inner.split("/")[0]} and ${hostText}`,
    );
  for (const [i, port] of numbers.entries())
    yield {
      key: `${port}/${protocol}`,
      binding: {
        HostIp: (ip ?? "").replace(/^\[|\]$/g, ""),
        // A range for one port means "any free port of these".
        HostPort: numbers.length === 1 ? (hostText ?? "") : String(hosts?.[i] ?? ""),
      },
    };
}

function containerPorts(
  text: string,
  wrong: string,
): { readonly numbers: readonly number[]; readonly protocol: string } {
  const [ports = "", protocol = "tcp"] = text.split("/");
  if (!["tcp", "udp", "sctp"].includes(protocol.toLowerCase())) throw new Error(`invalid proto: ${protocol}`);
  return { numbers: range(ports, wrong), protocol: protocol.toLowerCase() };
}

function range(text: string, wrong: string): readonly number[] {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (!match || first > 65535 || last > 65535 || last < first) throw new Error(wrong);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

import type { PortBinding } from "../../wire/endpoint.ts";
import type { PortSummary } from "../../wire/summary.ts";
import { isRouted, type PublishedPort } from "./published.ts";
import { exposedPorts, nameOf } from "./request.ts";

type Exposed = Readonly<Record<string, object>> | null | undefined;

/** `NetworkSettings.Ports`: what is published, and null for what is only exposed. */
export function portMap(
  exposed: Exposed,
  ports: readonly PublishedPort[],
): Record<string, PortBinding[] | null> {
  const map: Record<string, PortBinding[] | null> = {};
  for (const key of Object.keys(exposed ?? {})) map[key] = null;
  for (const port of ports) {
    const key = nameOf(port);
    map[key] = [
      ...(map[key] ?? []),
      { HostIp: port.hostIp, HostPort: isRouted(port) ? "" : String(port.hostPort) },
    ];
  }
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** `Ports` of a container in lists. */
export function portList(exposed: Exposed, ports: readonly PublishedPort[]): PortSummary[] {
  const published = new Set(ports.map(nameOf));
  const only = exposedPorts(exposed).filter((port) => !published.has(nameOf(port)));
  return [
    ...only.map(({ containerPort, protocol }) => ({ PrivatePort: containerPort, Type: protocol })),
    ...ports.map((port) => ({
      IP: port.hostIp,
      PrivatePort: port.containerPort,
      ...(isRouted(port) ? {} : { PublicPort: port.hostPort }),
      Type: port.protocol,
    })),
  ];
}

import { createHash } from "node:crypto";
import { isUserDefined, type SavedEndpoint } from "../../container/endpoint.ts";
import { shortId } from "../../container/id.ts";
import { isUp } from "../../container/lifecycle.ts";
import type { ContainerRecord } from "../../container/record.ts";
import { containerOf } from "../../container/spec/mode.ts";
import { portList, portMap } from "../../network/ports/summary.ts";
import type { EndpointSettings } from "../../wire/endpoint.ts";
import type { NetworkSettings } from "../../wire/inspect.ts";
import type { PortSummary } from "../../wire/summary.ts";

/** Under which names other containers of a network find one: its name, its aliases, its short id, its host name. */
export function dnsNames(
  { id, name, config }: Pick<ContainerRecord, "id" | "name" | "config">,
  aliases: readonly string[],
): string[] {
  const all = [name, ...aliases, shortId(id), config.Hostname ?? ""];
  return [...new Set(all.filter((one) => one !== ""))];
}

/** A container's places on its networks, by network name, as answers have them. */
export function endpointSettings(record: ContainerRecord): Record<string, EndpointSettings> {
  return Object.fromEntries(
    Object.entries(record.endpoints).map(([name, saved]) => [name, settingsOf(record, name, saved)]),
  );
}

function settingsOf(record: ContainerRecord, name: string, saved: SavedEndpoint): EndpointSettings {
  const { asked, live, networkId } = saved;
  return {
    IPAMConfig: asked.IPAMConfig ?? null,
    Links: asked.Links ?? null,
    Aliases: asked.Aliases ?? null,
    MacAddress: live?.mac || (asked.MacAddress ?? ""),
    DriverOpts: asked.DriverOpts ?? null,
    GwPriority: asked.GwPriority ?? 0,
    NetworkID: networkId,
    EndpointID: live?.id ?? "",
    Gateway: live?.ipv4?.gateway ?? "",
    IPAddress: live?.ipv4?.address ?? "",
    IPPrefixLen: live?.ipv4?.bits ?? 0,
    IPv6Gateway: live?.ipv6?.gateway ?? "",
    GlobalIPv6Address: live?.ipv6?.address ?? "",
    GlobalIPv6PrefixLen: live?.ipv6?.bits ?? 0,
    DNSNames: isUserDefined(name) && networkId !== "" ? dnsNames(record, asked.Aliases ?? []) : null,
  };
}

/** Its ports, published and exposed, as lists have them. */
export const portsOf = (record: ContainerRecord): PortSummary[] =>
  isUp(record.state.status) && hasWayOut(record)
    ? portList(record.config.ExposedPorts, record.published ?? [])
    : [];

const hasWayOut = ({ endpoints }: ContainerRecord): boolean =>
  Object.values(endpoints).some(({ live }) => live?.ipv4?.gateway || live?.ipv6?.gateway);

/** What `inspect` says of the container's networks. */
export function networkSettings(record: ContainerRecord): NetworkSettings {
  const own = isUp(record.state.status) && containerOf(record.host.NetworkMode) === undefined;
  const networks = endpointSettings(record);
  // Fields of before there were several networks: they are of the default one.
  const old = networks.bridge;
  return {
    Bridge: "",
    SandboxID: own
      ? createHash("sha256").update(`sandbox ${record.id} ${record.state.startedAt}`).digest("hex")
      : "",
    SandboxKey: own ? `/proc/${record.state.pid}/ns/net` : "",
    // Without a way out there is nothing to tell, not even what is exposed.
    Ports: own && hasWayOut(record) ? portMap(record.config.ExposedPorts, record.published ?? []) : {},
    HairpinMode: false,
    LinkLocalIPv6Address: "",
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: old?.EndpointID ?? "",
    Gateway: old?.Gateway ?? "",
    GlobalIPv6Address: old?.GlobalIPv6Address ?? "",
    GlobalIPv6PrefixLen: old?.GlobalIPv6PrefixLen ?? 0,
    IPAddress: old?.IPAddress ?? "",
    IPPrefixLen: old?.IPPrefixLen ?? 0,
    IPv6Gateway: old?.IPv6Gateway ?? "",
    MacAddress: old?.MacAddress ?? "",
    Networks: networks,
  };
}

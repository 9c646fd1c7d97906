import { createHash } from "node:crypto";
import type { ContainerRecord } from "../../container/record.ts";
import type { EndpointSettings } from "../../wire/endpoint.ts";
import type { NetworkSettings } from "../../wire/inspect.ts";
import { fixedNetwork } from "../networks.ts";
import { networkOf } from "./tell.ts";

const running = ({ state }: ContainerRecord): boolean =>
  state.status === "running" || state.status === "paused";

/** The container's place on its network. Until networks have addresses there is no address in it. */
export function endpoints(record: ContainerRecord): Record<string, EndpointSettings> {
  const network = networkOf(record.host.NetworkMode);
  if (!network) return {};
  const asked = record.networking?.EndpointsConfig?.[network.name] ?? {};
  const up = running(record);
  return {
    [network.name]: {
      IPAMConfig: asked.IPAMConfig ?? null,
      Links: asked.Links ?? null,
      Aliases: asked.Aliases ?? null,
      MacAddress: "",
      DriverOpts: asked.DriverOpts ?? null,
      GwPriority: 0,
      NetworkID: up ? fixedNetwork(network.name).Id : "",
      EndpointID: up ? hash(`endpoint ${record.id}`) : "",
      Gateway: "",
      IPAddress: "",
      IPPrefixLen: 0,
      IPv6Gateway: "",
      GlobalIPv6Address: "",
      GlobalIPv6PrefixLen: 0,
      DNSNames: null,
    },
  };
}

/** What `inspect` says of the container's networks. */
export function networkSettings(record: ContainerRecord): NetworkSettings {
  const up = running(record);
  const ports = Object.keys(record.config.ExposedPorts ?? {}).map((port) => [port, null] as const);
  return {
    Bridge: "",
    SandboxID: up ? hash(`sandbox ${record.id}`) : "",
    SandboxKey: up ? `/proc/${record.state.pid}/ns/net` : "",
    Ports: up ? Object.fromEntries(ports) : {},
    HairpinMode: false,
    LinkLocalIPv6Address: "",
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: "",
    Gateway: "",
    GlobalIPv6Address: "",
    GlobalIPv6PrefixLen: 0,
    IPAddress: "",
    IPPrefixLen: 0,
    IPv6Gateway: "",
    MacAddress: "",
    Networks: endpoints(record),
  };
}

const hash = (text: string): string => createHash("sha256").update(text).digest("hex");

import type { HostConfig } from "../wire/container.ts";
import type { EndpointSettings, NetworkingConfig } from "../wire/endpoint.ts";
import { containerOf } from "./spec/mode.ts";

/** What a container asks of one of its networks. */
export type AskedEndpoint = Pick<
  EndpointSettings,
  "IPAMConfig" | "Links" | "Aliases" | "MacAddress" | "DriverOpts" | "GwPriority"
>;

/** A container's place on one network while it runs. */
export interface LiveEndpoint {
  /** 64 hexadecimal digits, new at every start. */
  readonly id: string;
  readonly networkId: string;
  /** `"02:42:ac:11:00:02"`; empty where the network has no interfaces of its own (`host`, `none`). */
  readonly mac: string;
  readonly ipv4: LiveAddress | null;
  readonly ipv6: LiveAddress | null;
  /** Name of the interface in the container; empty where there is none. */
  readonly interface: string;
  /** Name of the host's end of its veth pair; empty where there is none. */
  readonly host: string;
}

export interface LiveAddress {
  readonly address: string;
  /** How many of its bits are the network's. */
  readonly bits: number;
  /** Empty where the network has none to offer. */
  readonly gateway: string;
}

/** A container's place on one network, as its document keeps it. */
export interface SavedEndpoint {
  readonly asked: AskedEndpoint;
  /** Of the network that it was last on; empty before its first start. */
  networkId: string;
  live: LiveEndpoint | null;
  /** An engine is putting the running container on it, or taking it off: a later engine finishes that by taking it off. */
  unsettled?: true;
}

/** By network name; the first is the one that `--network` names first. */
export type SavedEndpoints = Record<string, SavedEndpoint>;

/** The network that a `--network` means: `default` and nothing are the bridge that is always there. */
export const networkOf = (mode: string | undefined): string =>
  mode === undefined || mode === "" || mode === "default" ? "bridge" : mode;

/**
 * Whether a container has IPv6 at all. A setting that takes it from its loopback as well means none, on networks with
 * IPv6 too, as for Docker.
 */
export const hasIPv6 = ({ Sysctls }: Pick<HostConfig, "Sysctls">): boolean =>
  !["all", "lo"].some((name) => Sysctls?.[`net.ipv6.conf.${name}.disable_ipv6`] === "1");

/** Whether a person made it: containers on such a network have names and addresses that people chose. */
export const isUserDefined = (network: string): boolean =>
  !["bridge", "host", "none", "default"].includes(network) && containerOf(network) === undefined;

/**
 * The networks that a configuration asks for, first that of `NetworkMode`.
 * @param nameOf the name of a network that is told by its name or id
 */
export function askedEndpoints(
  { NetworkMode }: Pick<HostConfig, "NetworkMode">,
  networking: NetworkingConfig | null | undefined,
  nameOf: (reference: string) => string = (reference) => reference,
): SavedEndpoints {
  if (containerOf(NetworkMode) !== undefined) return {};
  const asked = Object.entries(networking?.EndpointsConfig ?? {}).map(
    ([reference, settings]) => [nameOf(networkOf(reference)), newEndpoint(settings)] as const,
  );
  const endpoints: SavedEndpoints = { [nameOf(networkOf(NetworkMode))]: newEndpoint(undefined) };
  for (const [name, endpoint] of asked.sort(([a], [b]) => (a < b ? -1 : 1))) endpoints[name] = endpoint;
  return endpoints;
}

/** A place that nobody has taken yet. What answers add to the settings is left out. */
export function newEndpoint(settings: EndpointSettings | null | undefined): SavedEndpoint {
  const { IPAMConfig, Links, Aliases, MacAddress, DriverOpts, GwPriority } = settings ?? {};
  return {
    asked: {
      ...(IPAMConfig ? { IPAMConfig } : {}),
      ...(Links ? { Links } : {}),
      ...(Aliases ? { Aliases } : {}),
      ...(MacAddress ? { MacAddress } : {}),
      ...(DriverOpts ? { DriverOpts } : {}),
      ...(GwPriority ? { GwPriority } : {}),
    },
    networkId: "",
    live: null,
  };
}

import { askedEndpoints, networkOf, type SavedEndpoints } from "../../container/endpoint.ts";
import { containerOf } from "../../container/spec/mode.ts";
import { Refusal } from "../../oci/error.ts";
import type { ContainerConfig, HostConfig, NetworkingConfig } from "../../wire/container.ts";
import type { Context } from "../context.ts";
import { invalid } from "../refuse.ts";
import { checkAsked } from "./check.ts";

/**
 * The places on networks that a new container asks for, by the networks' names.
 * @throws Refusal (400): a network is not there (not 404, which clients take for a missing image), or cannot give what
 * is asked of it
 */
export function askedNetworks(
  { networks }: Context,
  host: HostConfig,
  config: ContainerConfig,
  networking: NetworkingConfig | null | undefined,
): SavedEndpoints {
  const mode = host.NetworkMode ?? "";
  if (containerOf(mode) !== undefined) return {};
  const found = (reference: string) => {
    try {
      return networks.find(reference);
    } catch (error) {
      throw error instanceof Refusal ? invalid(error.message) : error;
    }
  };
  const endpoints = askedEndpoints(host, networking, (reference) => found(reference).name);
  const primary = found(networkOf(mode)).name;
  const names = Object.keys(endpoints);
  if (names.length > 1 && names.some((name) => name === "host" || name === "none")) {
    throw invalid("conflicting options: cannot attach both user-defined and non-user-defined network-modes");
  }
  for (const name of names) {
    const endpoint = endpoints[name]!;
    // The container's own address, from before endpoints had them, is meant for the first network.
    const mac = name === primary && hasInterface(primary) ? config.MacAddress : undefined;
    if (mac && endpoint.asked.MacAddress && endpoint.asked.MacAddress !== mac) {
      throw invalid(
        "the container-wide MAC address must match the endpoint-specific MAC address for the main network, or be left empty",
      );
    }
    const asked = mac ? { ...endpoint.asked, MacAddress: mac } : endpoint.asked;
    endpoints[name] = { ...endpoint, asked };
    try {
      checkAsked(found(name), asked);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      throw new Refusal(error.kind, `invalid config for network ${name}: ${error.message}`);
    }
  }
  return endpoints;
}

const hasInterface = (network: string): boolean => network !== "host" && network !== "none";

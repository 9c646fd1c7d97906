import type { EndpointSettings, NetworkingConfig } from "../../wire/endpoint.ts";
import { Failure } from "../failure.ts";
import type { Values } from "../flags/flag.ts";
import { cut } from "../flags/quantity.ts";
import type { containerFlags } from "./flags.ts";

type Options = Values<typeof containerFlags>;
type Writable<T> = { -readonly [K in keyof T]: T[K] };

export interface Networks {
  readonly mode: string;
  readonly config?: NetworkingConfig;
}

interface Attachment {
  readonly name: string;
  readonly endpoint: EndpointSettings;
}

/** Six octets, in each of the ways in which they are written. */
const MAC = /^(?:[\da-f]{2}(?:(?::[\da-f]{2}){5}|(?:-[\da-f]{2}){5})|[\da-f]{4}(?:\.[\da-f]{4}){2})$/i;

const refused = (message: string): Failure => new Failure(message, 125);
const conflict = (message: string): Failure => refused(`conflicting options: ${message}`);

/** `--network`, with the options that belong to the first network's endpoint. */
export function networks(options: Options): Networks {
  const asked = [...options.network, ...options.net].map(attachment);
  const [first = { name: "default", endpoint: {} }, ...others] = asked;
  const all = [{ name: first.name, endpoint: merged(options, first) }, ...others];
  checkTogether(all.map(({ name }) => name));
  const said = all.some(({ endpoint }) => Object.keys(endpoint).length > 0) || all.length > 1;
  if (!said) return { mode: first.name };
  const endpoints = Object.fromEntries(all.map(({ name, endpoint }) => [name, endpoint]));
  return { mode: first.name, config: { EndpointsConfig: endpoints } };
}

const isUserDefined = (name: string): boolean =>
  !["default", "bridge", "host", "none"].includes(name) && !name.startsWith("container:");

function checkTogether(names: readonly string[]): void {
  if (names.length > 1 && !names.every(isUserDefined))
    throw conflict("cannot attach both user-defined and non-user-defined network-modes");
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw refused(`network "${twice}" is specified multiple times`);
}

/** What is said of the first network by options of their own; the same must not be said twice. */
function merged(options: Options, { name, endpoint }: Attachment): EndpointSettings {
  const { ip, ip6, link } = options;
  const alias = [...options["net-alias"], ...options["network-alias"]];
  const local = options["link-local-ip"];
  const mac = options["mac-address"];
  const ipam = endpoint.IPAMConfig;
  if (mac && !MAC.test(mac.trim())) throw refused(`${mac} is not a valid mac address`);
  if (alias.length > 0 && !isUserDefined(name))
    throw refused("network-scoped aliases are only supported for user-defined networks");
  const clashes = [
    [alias.length > 0 && endpoint.Aliases, "--network-alias and per-network alias"],
    [link.length > 0 && endpoint.Links, "--link and per-network links"],
    [ip && ipam?.IPv4Address, "--ip and per-network IPv4 address"],
    [ip6 && ipam?.IPv6Address, "--ip6 and per-network IPv6 address"],
    [local.length > 0 && ipam?.LinkLocalIPs, "--link-local-ip and per-network link-local IP addresses"],
    [mac && endpoint.MacAddress, "--mac-address and per-network MAC address"],
  ] as const;
  for (const [both, what] of clashes) if (both) throw conflict(`cannot specify both ${what}`);
  const addresses = {
    ...ipam,
    ...(ip && { IPv4Address: ip }),
    ...(ip6 && { IPv6Address: ip6 }),
    ...(local.length > 0 && { LinkLocalIPs: local }),
  };
  return {
    ...endpoint,
    ...(Object.keys(addresses).length > 0 && { IPAMConfig: addresses }),
    ...(alias.length > 0 && { Aliases: alias }),
    ...(link.length > 0 && isUserDefined(name) && { Links: link }),
    ...(mac && { MacAddress: mac }),
  };
}

/** `NAME`, or `name=NAME,alias=A,ip=…,ip6=…,mac-address=…,link-local-ip=…,driver-opt=k=v,gw-priority=1`. */
function attachment(text: string): Attachment {
  if (!text.includes("=")) return { name: text, endpoint: {} };
  const wrong = (why: string): Failure => refused(`invalid argument "${text}" for "--network" flag: ${why}`);
  const endpoint: Writable<EndpointSettings> = {};
  const ipam: Writable<NonNullable<EndpointSettings["IPAMConfig"]>> = {};
  const options: Record<string, string> = {};
  let name = "";
  for (const field of text.split(",")) {
    const [word, value = ""] = cut(field, "=");
    switch (word.trim().toLowerCase()) {
      case "name":
        name = value;
        break;
      case "alias":
        endpoint.Aliases = [...(endpoint.Aliases ?? []), value];
        break;
      case "ip":
        ipam.IPv4Address = value;
        break;
      case "ip6":
        ipam.IPv6Address = value;
        break;
      case "link-local-ip":
        ipam.LinkLocalIPs = [...(ipam.LinkLocalIPs ?? []), value];
        break;
      case "mac-address":
        endpoint.MacAddress = value;
        break;
      case "gw-priority":
        if (!/^[+-]?\d{1,9}$/.test(value)) throw wrong(`invalid gw-priority (${value}): invalid syntax`);
        endpoint.GwPriority = Number(value);
        break;
      case "driver-opt": {
        const [option, setting] = cut(value, "=");
        if (setting === undefined) throw wrong("invalid key value pair format in driver options");
        options[option] = setting;
        break;
      }
      default:
        throw wrong(`invalid field key ${word}`);
    }
  }
  if (name === "") throw wrong("network name/id is not specified");
  if (Object.keys(ipam).length > 0) endpoint.IPAMConfig = ipam;
  if (Object.keys(options).length > 0) endpoint.DriverOpts = options;
  return { name, endpoint };
}

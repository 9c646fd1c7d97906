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

/** `--network`, with the options that belong to the first network's endpoint. */
export function networks(options: Options): Networks {
  const asked = [...options.network, ...options.net].map(attachment);
  const first = asked[0] ?? { name: "default", endpoint: {} };
  const isOwn =
    !["default", "bridge", "host", "none"].includes(first.name) && !first.name.startsWith("container:");
  const rest = general(options);
  if (options["network-alias"].length > 0 && !isOwn)
    throw new Failure("network-scoped alias is supported only for containers in user defined networks", 125);
  const endpoint: EndpointSettings = { ...rest, ...first.endpoint };
  const endpoints = Object.fromEntries(
    asked.length === 0
      ? [[first.name, endpoint]]
      : asked.map((one, i) => [one.name, i === 0 ? endpoint : one.endpoint]),
  );
  const said = asked.length > 1 || Object.keys(endpoint).length > 0;
  return { mode: first.name, ...(said && { config: { EndpointsConfig: endpoints } }) };
}

function general(options: Options): EndpointSettings {
  const { ip, ip6 } = options;
  const local = options["link-local-ip"];
  const ipam = {
    ...(ip && { IPv4Address: ip }),
    ...(ip6 && { IPv6Address: ip6 }),
    ...(local.length > 0 && { LinkLocalIPs: local }),
  };
  const mac = options["mac-address"];
  return {
    ...(Object.keys(ipam).length > 0 && { IPAMConfig: ipam }),
    ...(options["network-alias"].length > 0 && { Aliases: options["network-alias"] }),
    ...(mac && { MacAddress: mac }),
  };
}

/** `NAME`, or `name=NAME,alias=A,ip=…,ip6=…,mac-address=…,driver-opt=k=v,gw-priority=1`. */
function attachment(text: string): { readonly name: string; readonly endpoint: EndpointSettings } {
  if (!text.includes("=")) return { name: text, endpoint: {} };
  const endpoint: Writable<EndpointSettings> = {};
  const options: Record<string, string> = {};
  let name = "";
  for (const field of text.split(",")) {
    const [key, value = ""] = cut(field, "=");
    if (key === "name") name = value;
    else if (key === "alias") endpoint.Aliases = [...(endpoint.Aliases ?? []), value];
    else if (key === "ip") endpoint.IPAMConfig = { ...endpoint.IPAMConfig, IPv4Address: value };
    else if (key === "ip6") endpoint.IPAMConfig = { ...endpoint.IPAMConfig, IPv6Address: value };
    else if (key === "mac-address") endpoint.MacAddress = value;
    else if (key === "gw-priority") endpoint.GwPriority = Number(value);
    else if (key === "driver-opt") options[cut(value, "=")[0]] = cut(value, "=")[1] ?? "";
    else throw new Failure(`invalid field ${key} in --network ${text}`, 125);
  }
  if (name === "") throw new Failure(`network name/id is not specified in --network ${text}`, 125);
  return { name, endpoint: { ...endpoint, ...(Object.keys(options).length > 0 && { DriverOpts: options }) } };
}

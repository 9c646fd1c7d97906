import { type AskedEndpoint, isUserDefined } from "../../container/endpoint.ts";
import { contains, parseAddress, parseSubnet } from "../../network/address.ts";
import type { NetworkDocument } from "../../network/document.ts";
import { parseMac } from "../../network/mac.ts";
import { checkInterfaceName } from "../../network/options.ts";
import { poolsOf } from "../../network/pool.ts";
import { joined } from "../../network/pool-check.ts";
import { invalid } from "../refuse.ts";

export const IFNAME = "com.docker.network.endpoint.ifname";
export const SYSCTLS = "com.docker.network.endpoint.sysctls";

/**
 * Whether a container can have what it asks of a network.
 * @throws Refusal (400) in Docker's words
 */
export function checkAsked(network: NetworkDocument, asked: AskedEndpoint): void {
  const { IPAMConfig, Aliases, MacAddress, DriverOpts } = asked;
  if (MacAddress && parseMac(MacAddress) === null)
    throw invalid(`invalid MAC address ${MacAddress.slice(0, 80)}`);
  const userDefined = isUserDefined(network.name);
  const wrong: string[] = [];
  const addresses = [
    { family: 4, text: IPAMConfig?.IPv4Address },
    { family: 6, text: IPAMConfig?.IPv6Address },
  ] as const;
  if (addresses.some(({ text }) => text) && !userDefined)
    wrong.push("user specified IP address is supported on user defined networks only");
  if ((Aliases?.length ?? 0) > 0 && !userDefined)
    wrong.push("network-scoped alias is supported only for containers in user defined networks");
  for (const { family, text } of addresses)
    if (text && !isOf(family, text)) wrong.push(`invalid IPv${family} address: ${text.slice(0, 80)}`);
  for (const text of IPAMConfig?.LinkLocalIPs ?? [])
    if (parseAddress(text) === null) wrong.push(`invalid link-local IP address: ${text.slice(0, 80)}`);
  for (const { family, text } of addresses) if (text) wrong.push(...outOfReach(network, family, text));
  if (wrong.length > 0) throw invalid(joined("invalid endpoint settings", wrong));
  for (const text of IPAMConfig?.LinkLocalIPs ?? []) checkLinkLocal(network, text);
  checkOptions(DriverOpts ?? {});
}

/** An address of IPv4 as IPv6 has it (RFC 4291, 2.5.5.2) is none of IPv6. */
const isOf = (family: 4 | 6, text: string): boolean => {
  const address = parseAddress(text);
  return address?.family === family && !(family === 6 && address.value >> 32n === 0xffffn);
};

/** RFC 3927, 2.1; RFC 4291, 2.4. */
const LINK_LOCAL = { 4: parseSubnet("169.254.0.0/16")!, 6: parseSubnet("fe80::/10")! } as const;

function checkLinkLocal({ name, ipv6 }: NetworkDocument, text: string): void {
  const address = parseAddress(text);
  if (address === null || !contains(LINK_LOCAL[address.family], address))
    throw invalid(`invalid link local IP address: ${text.slice(0, 80)}`);
  if (address.family === 6 && !ipv6)
    throw invalid(`invalid link local IP address: ${text.slice(0, 80)}: network ${name} has no IPv6`);
}

function outOfReach(network: NetworkDocument, family: 4 | 6, text: string): string[] {
  const address = parseAddress(text);
  const chosen = poolsOf(network).filter((pool) => pool.family === family && pool.pool.chosen);
  if (chosen.length === 0) {
    return [
      "user specified IP address is supported only when connecting to networks with user configured subnets",
    ];
  }
  if (address !== null && chosen.some(({ subnet }) => contains(subnet, address))) return [];
  return [`no configured subnet or ip-range contain the IP address ${text.slice(0, 80)}`];
}

/** Names of others are kept for them, as in Docker; of Docker's own none is ignored in silence. */
function checkOptions(options: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (name === IFNAME) checkInterfaceName(value, IFNAME);
    else if (name === SYSCTLS) endpointSysctls(value, "eth0");
    else if (name.startsWith("com.docker.network.")) {
      throw invalid(`unknown endpoint option ${name.slice(0, 80)}: there are ${IFNAME} and ${SYSCTLS}`);
    }
  }
}

/**
 * Kernel settings of an interface, `net.ipv4.conf.IFNAME.log_martians=1,…`; `docker` makes IFNAME small letters.
 * @throws Refusal (400) for anything but settings of that interface
 */
export function endpointSysctls(text: string | undefined, name: string): Record<string, string> {
  const result: Record<string, string> = {};
  for (const setting of (text ?? "").split(",").filter(Boolean)) {
    const match = /^(net\.(?:ipv4|ipv6|mpls)\.\w+\.)IFNAME(\.\w+)=(-?\w+)$/i.exec(setting);
    if (!match)
      throw invalid(`invalid sysctl setting '${setting.slice(0, 80)}': it must be net.X.Y.IFNAME.Z=VALUE`);
    result[`${match[1]}${name}${match[2]}`] = match[3]!;
  }
  return result;
}

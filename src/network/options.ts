import { Refusal } from "../oci/error.ts";
import { isInterfaceName } from "../oci/interface.ts";
import { formatAddress, parseAddress } from "./address.ts";
import type { NetworkDocument } from "./document.ts";
import type { GatewayMode } from "./firewall/types.ts";

/** Driver options of networks (`--opt`), Docker's names. */

const BRIDGE = "com.docker.network.bridge";
export const MTU = "com.docker.network.driver.mtu";
export const BRIDGE_NAME = `${BRIDGE}.name`;
export const DEFAULT_BRIDGE = `${BRIDGE}.default_bridge`;
const ICC = `${BRIDGE}.enable_icc`;
const MASQUERADE = `${BRIDGE}.enable_ip_masquerade`;
const BINDING = `${BRIDGE}.host_binding_ipv4`;
const INHIBIT = `${BRIDGE}.inhibit_ipv4`;
const MODE_4 = `${BRIDGE}.gateway_mode_ipv4`;
const MODE_6 = `${BRIDGE}.gateway_mode_ipv6`;
const TRUSTED = `${BRIDGE}.trusted_host_interfaces`;
const HOST_4 = "com.docker.network.host_ipv4";
const HOST_6 = "com.docker.network.host_ipv6";
const PREFIX = "com.docker.network.container_iface_prefix";
/** Families of any network, for clients that have no other words for them. */
const FAMILY = { 4: "com.docker.network.enable_ipv4", 6: "com.docker.network.enable_ipv6" } as const;

/** What a bridge network's options say. */
export interface BridgeOptions {
  /** Absent: `br-` and the beginning of the network's id. */
  readonly name: string | undefined;
  readonly icc: boolean;
  readonly masquerade: boolean;
  /** Where ports are published that name no address; absent: everywhere. */
  readonly hostBinding: string | undefined;
  /** The bridge gets no IPv4 address: the gateway is somebody else. */
  readonly inhibit4: boolean;
  readonly gatewayMode4: GatewayMode;
  readonly gatewayMode6: GatewayMode;
  /** Interfaces of the host from which published ports are reached at the containers' own addresses. */
  readonly trusted: readonly string[];
  /** As which address of the host its containers are seen elsewhere; absent: whichever the packet leaves by. */
  readonly hostAddress4: string | undefined;
  readonly hostAddress6: string | undefined;
  /** Bytes; absent: the kernel's default. */
  readonly mtu: number | undefined;
  /** Interfaces in containers are called this and a number. */
  readonly interfacePrefix: string;
}

type Options = Readonly<Record<string, string>>;

const KNOWN = new Set([
  BRIDGE_NAME,
  DEFAULT_BRIDGE,
  ICC,
  MASQUERADE,
  BINDING,
  INHIBIT,
  MODE_4,
  MODE_6,
  TRUSTED,
  HOST_4,
  HOST_6,
  MTU,
  PREFIX,
]);

/** @throws Refusal (400) for an unknown option or a value that cannot be, in Docker's words where it has any */
export function bridgeOptions(options: Options, internal: boolean): BridgeOptions {
  refuseUnknown("bridge", options, KNOWN);
  const name = options[BRIDGE_NAME] || undefined;
  if (name !== undefined) checkInterfaceName(name, BRIDGE_NAME);
  const hostBinding = options[BINDING] || undefined;
  if (hostBinding !== undefined && parseAddress(hostBinding)?.family !== 4)
    throw bad(BINDING, hostBinding, "nil ip");
  const interfacePrefix = options[PREFIX] || "eth";
  // Room for a number of two digits.
  checkInterfaceName(`${interfacePrefix}00`, PREFIX);
  return {
    name,
    icc: bool(options, ICC, true),
    masquerade: bool(options, MASQUERADE, true),
    hostBinding,
    inhibit4: bool(options, INHIBIT, false),
    gatewayMode4: mode(options, MODE_4, internal),
    gatewayMode6: mode(options, MODE_6, internal),
    trusted: trustedInterfaces(options[TRUSTED] ?? ""),
    hostAddress4: hostAddress(options, HOST_4, 4),
    hostAddress6: hostAddress(options, HOST_6, 6),
    mtu: mtuOf(options),
    interfacePrefix,
  };
}

/** @throws Refusal (400) that names the first option that the driver does not have, and those it has */
export function refuseUnknown(driver: string, options: Options, known: ReadonlySet<string>): void {
  for (const name of Object.keys(options)) {
    if (known.has(name) || name === FAMILY[4] || name === FAMILY[6]) continue;
    const names = [...known].sort().join(", ");
    throw invalid(`unknown option ${name.slice(0, 80)} for driver ${driver}: it has ${names}`);
  }
}

/**
 * Whether a network has a family: what is asked for wins over the option, which then is none.
 * @throws Refusal (400): the option is neither true nor false
 */
export function familyOf(
  family: 4 | 6,
  asked: boolean | null | undefined,
  options: Options,
): { readonly on: boolean; readonly without: string | undefined } {
  const name = FAMILY[family];
  if (asked !== undefined && asked !== null) return { on: asked, without: name };
  const on = parsedBool(options[name]);
  if (on === null) throw invalid(`driver-opt "${name}" is not a valid bool`);
  return { on: on ?? family === 4, without: undefined };
}

/** Bytes that fit into one packet; the kernel's bounds of a bridge are 68 and 65535. */
export function mtuOf(options: Options): number | undefined {
  const text = options[MTU];
  if (text === undefined || text === "") return undefined;
  if (!/^[+-]?\d+$/.test(text)) throw bad(MTU, text, `strconv.Atoi: parsing "${text}": invalid syntax`);
  const mtu = Number(text);
  if (mtu < 0) throw invalid(`invalid MTU number: ${mtu}`);
  if (mtu === 0) return undefined;
  if (mtu < 68 || mtu > 65_535) throw invalid(`invalid MTU number: ${mtu}: it must be from 68 to 65535`);
  return mtu;
}

/** Go's `strconv.ParseBool`. */
function bool(options: Options, name: string, absent: boolean): boolean {
  const value = parsedBool(options[name]);
  if (value === null)
    throw bad(name, options[name] ?? "", `strconv.ParseBool: parsing "${options[name]}": invalid syntax`);
  return value ?? absent;
}

/** @returns undefined without a text, null where it is neither */
function parsedBool(text: string | undefined): boolean | null | undefined {
  if (text === undefined) return undefined;
  if (["1", "t", "T", "TRUE", "true", "True"].includes(text)) return true;
  if (["0", "f", "F", "FALSE", "false", "False"].includes(text)) return false;
  return null;
}

/** Docker separates them by colons, which no name of an interface can have. */
function trustedInterfaces(text: string): string[] {
  const names = text.split(":").filter((name) => name !== "");
  for (const name of names) checkInterfaceName(name, TRUSTED);
  return names;
}

function hostAddress(options: Options, name: string, family: 4 | 6): string | undefined {
  const text = options[name] || undefined;
  if (text === undefined) return undefined;
  const address = parseAddress(text);
  if (address?.family !== family) throw bad(name, text, "nil ip");
  return formatAddress(address);
}

const MODES: readonly string[] = ["nat", "nat-unprotected", "routed", "isolated"] satisfies GatewayMode[];

function mode(options: Options, name: string, internal: boolean): GatewayMode {
  const text = options[name] || "nat";
  if (!MODES.includes(text)) throw bad(name, text, `unknown gateway mode ${text}`);
  if (text === "isolated" && !internal)
    throw new Refusal("failed", "gateway mode 'isolated' can only be used for an internal network");
  return text as GatewayMode;
}

/** Names of network interfaces, which people can read. */
export function checkInterfaceName(name: string, option: string): void {
  if (isInterfaceName(name) && !/\p{Cc}/u.test(name)) return;
  throw bad(option, name.slice(0, 80), "an interface's name has 1 to 15 bytes and no slash, colon or space");
}

/** @throws Refusal (400) in the words of Docker's drivers */
export function oneOf(driver: string, what: string, known: readonly string[], value: string): string {
  if (known.includes(value)) return value;
  throw invalid(
    `requested ${driver} ${what} '${value.slice(0, 80)}' is not valid, '${known[0]}' ${what} is the ${driver} driver default`,
  );
}

/** Options of a bridge network that was checked when it was made. */
export const bridgeOptionsOf = ({ options, internal }: NetworkDocument): BridgeOptions =>
  bridgeOptions(options, internal);

const invalid = (message: string): Refusal => new Refusal("invalid", message);

const bad = (name: string, value: string, why: string): Refusal =>
  invalid(`failed to parse ${name} value: ${value} (${why})`);

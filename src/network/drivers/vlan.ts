import type { IpvlanFlag, IpvlanMode, MacvlanMode } from "../endpoint.ts";
import { MTU, mtuOf, oneOf, refuseUnknown } from "../options.ts";
import type { Driver } from "./driver.ts";
import { checkParent, isApart, parentLink, parentName } from "./parent.ts";

/** Kinds that put containers beside an interface of the host, onto the network that it is on. */

type Options = Readonly<Record<string, string>>;

const MACVLAN_MODES: readonly string[] = ["bridge", "private", "vepa", "passthru"] satisfies MacvlanMode[];
const IPVLAN_MODES: readonly string[] = ["l2", "l3", "l3s"] satisfies IpvlanMode[];
const IPVLAN_FLAGS: readonly string[] = ["bridge", "private", "vepa"] satisfies IpvlanFlag[];

/** Each container's interface has a MAC address of its own on the parent's network. */
export const macvlan: Driver = {
  name: "macvlan",
  addressed: true,
  check(network, facts) {
    refuseUnknown("macvlan", network.options, new Set(["parent", "macvlan_mode", MTU]));
    macvlanMode(network.options);
    checkParent(network, facts);
  },
  bridge: () => null,
  parent: parentLink,
  outward: (network) => (isApart(network) ? "nowhere" : "gateway"),
  keepsGateway: (network) => !isApart(network),
  link: (network) => ({
    driver: "macvlan",
    parent: parentName(network),
    mode: macvlanMode(network.options),
  }),
  mtu: ({ options }) => mtuOf(options),
  interfacePrefix: () => "eth",
};

/** All containers share the parent's MAC address; the kernel tells them apart by address. */
export const ipvlan: Driver = {
  name: "ipvlan",
  addressed: true,
  check(network, facts) {
    refuseUnknown("ipvlan", network.options, new Set(["parent", "ipvlan_mode", "ipvlan_flag", MTU]));
    ipvlanMode(network.options);
    ipvlanFlag(network.options);
    checkParent(network, facts);
  },
  bridge: () => null,
  parent: parentLink,
  // A router of an ipvlan in layer 3 is not on the link: everything is sent to the parent as it is.
  outward: (network) =>
    isApart(network) ? "nowhere" : ipvlanMode(network.options) === "l2" ? "gateway" : "link",
  keepsGateway: (network) => !isApart(network) && ipvlanMode(network.options) === "l2",
  link: (network) => ({
    driver: "ipvlan",
    parent: parentName(network),
    mode: ipvlanMode(network.options),
    flag: ipvlanFlag(network.options),
  }),
  mtu: ({ options }) => mtuOf(options),
  interfacePrefix: () => "eth",
};

function macvlanMode(options: Options): MacvlanMode {
  return oneOf("macvlan", "mode", MACVLAN_MODES, options.macvlan_mode || "bridge") as MacvlanMode;
}

function ipvlanMode(options: Options): IpvlanMode {
  return oneOf("ipvlan", "mode", IPVLAN_MODES, options.ipvlan_mode || "l2") as IpvlanMode;
}

function ipvlanFlag(options: Options): IpvlanFlag {
  return oneOf("ipvlan", "flag", IPVLAN_FLAGS, options.ipvlan_flag || "bridge") as IpvlanFlag;
}

import { Refusal } from "../../oci/error.ts";
import type { NetworkDocument } from "../document.ts";
import type { IpvlanFlag, IpvlanMode, MacvlanMode } from "../endpoint.ts";
import { MTU, mtuOf, refuseUnknown } from "../options.ts";
import type { Driver, DriverFacts } from "./driver.ts";

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
  link: ({ options }) => ({ driver: "macvlan", parent: options.parent!, mode: macvlanMode(options) }),
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
  link: ({ options }) => ({
    driver: "ipvlan",
    parent: options.parent!,
    mode: ipvlanMode(options),
    flag: ipvlanFlag(options),
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

function oneOf(driver: string, what: string, known: readonly string[], value: string): string {
  if (known.includes(value)) return value;
  throw new Refusal(
    "invalid",
    `requested ${driver} ${what} '${value.slice(0, 80)}' is not valid, '${known[0]}' ${what} is the ${driver} driver default`,
  );
}

function checkParent({ driver, name, options }: NetworkDocument, { linkExists, others }: DriverFacts): void {
  const parent = options.parent || "";
  if (parent === "") {
    throw new Refusal(
      "invalid",
      `cannot create network ${name}: driver ${driver} needs an interface of the host: name one with --opt parent=eth0`,
    );
  }
  if (!linkExists(parent)) {
    throw new Refusal(
      "invalid",
      `cannot create network ${name}: the host has no interface ${parent.slice(0, 80)} to be its parent: make it first (a VLAN with ip link add link eth0 name eth0.50 type vlan id 50)`,
    );
  }
  const exclusive = (options.macvlan_mode ?? "") === "passthru";
  const other = others.find(
    (each) =>
      each.options.parent === parent &&
      (exclusive || each.options.macvlan_mode === "passthru" || each.driver !== driver),
  );
  if (other) {
    throw new Refusal(
      "forbidden",
      `cannot create network ${name}: network ${other.name} is already using parent interface ${parent}`,
    );
  }
}

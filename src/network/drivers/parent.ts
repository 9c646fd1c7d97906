import { Refusal } from "../../oci/error.ts";
import type { NetworkDocument } from "../document.ts";
import type { ParentLink } from "../endpoint.ts";
import { checkInterfaceName } from "../options.ts";
import type { DriverFacts } from "./driver.ts";

/** The interface of the host that a macvlan or an ipvlan is beside (`--opt parent=eth0`). */

/** Names that Docker gives to links of its own, which lead nowhere. */
const NOWHERE = { macvlan: "dm-", ipvlan: "di-" } as const;

/** Whether its containers are beside an interface of the host, which itself is not on the network. */
export const isBeside = ({ driver }: NetworkDocument): boolean => driver === "macvlan" || driver === "ipvlan";

/** Without a parent it is one of our own, named after the network as Docker names it. */
export const parentName = ({ driver, id, options }: NetworkDocument): string =>
  options.parent || `${NOWHERE[driver === "ipvlan" ? "ipvlan" : "macvlan"]}${id.slice(0, 12)}`;

/** Whether its containers reach each other only. */
export const isApart = ({ internal, options }: NetworkDocument): boolean => internal || !options.parent;

/** The parent as we would make it: a VLAN by its name, `eth0.50`, or a link without a wire. */
export function parentLink(network: NetworkDocument): ParentLink | null {
  const { name: own, options } = network;
  const name = parentName(network);
  if (!options.parent) return { network: own, name };
  const [, on, id] = /^([^.]+)\.(\d+)$/.exec(name) ?? [];
  return on === undefined ? null : { network: own, name, vlan: { on, id: Number(id) } };
}

/** @throws Refusal in one sentence, Docker's words first where it has any */
export function checkParent(network: NetworkDocument, { linkExists, others }: DriverFacts): void {
  const { driver, name, options } = network;
  const parent = options.parent || "";
  if (parent === "") return;
  checkInterfaceName(parent, "parent");
  const refuse = (why: string): Refusal => new Refusal("invalid", why);
  if (parent === "lo") throw refuse(`loopback interface is not a valid ${driver} parent link`);
  const other = others.find(
    (each) => isBeside(each) && parentName(each) === parent && !canShare(network, each),
  );
  if (other) {
    throw new Refusal(
      "forbidden",
      `cannot create network ${name}: network ${other.name} is already using parent interface ${parent}`,
    );
  }
  if (linkExists(parent)) return;
  const [on = "", id = "", ...more] = parent.split(".");
  if (id === "") {
    throw refuse(
      `cannot create network ${name}: the host has no interface ${parent} to be its parent; only a VLAN of an interface is made when it is needed (parent=eth0.10)`,
    );
  }
  if (more.length > 0)
    throw refuse(
      `required interface name format is: name.vlan_id, ex. eth0.10 for vlan 10, instead received ${parent}`,
    );
  if (!/^\d{1,5}$/.test(id))
    throw refuse(`unable to parse a valid vlan id from: ${id} (ex. eth0.10 for vlan 10)`);
  if (!linkExists(on)) throw refuse(`-o parent interface was not found on the host: ${on}`);
  if (Number(id) < 1 || Number(id) > 4094) throw refuse(`vlan id must be between 1-4094, received: ${id}`);
}

/**
 * A link carries macvlans or ipvlans. A macvlan in passthru mode has it for itself, and all ipvlans of it have one
 * mode: the kernel changes those that are there to that of a new one (`ipvlan_set_port_mode`).
 */
function canShare(a: NetworkDocument, b: NetworkDocument): boolean {
  if (a.driver !== b.driver) return false;
  const both = (option: string, standard: string): boolean =>
    (a.options[option] || standard) === (b.options[option] || standard);
  if (a.driver === "ipvlan") return both("ipvlan_mode", "l2") && both("ipvlan_flag", "bridge");
  return a.options.macvlan_mode !== "passthru" && b.options.macvlan_mode !== "passthru";
}

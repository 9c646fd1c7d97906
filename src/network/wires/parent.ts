import { addLink, deleteLink } from "../../kernel/netlink/route/link.ts";
import type { NetlinkMessage, Plan } from "../../plan/step.ts";
import type { ParentLink } from "../endpoint.ts";
import { because, reasonFor } from "./links.ts";
import { findLink, openNetlink, sendBatch } from "./socket.ts";

const SOCKET = "links";

/** Makes the link that containers of a macvlan or an ipvlan are beside, and brings it up: all of it, or nothing. */
export function parentPlan({ name, network, vlan }: ParentLink): Plan {
  const option = { option: `--opt parent=${name}` };
  const why = `make the interface ${name} for network ${network}`;
  const found = vlan && findLink(SOCKET, vlan.on, "parent", reasonFor(option, `find ${vlan.on}`), "parent");
  const message: NetlinkMessage =
    vlan && found
      ? {
          ...because(option, addLink({ kind: "vlan", name, parent: found.link, id: vlan.id, up: true }), why),
          hints: {
            EOPNOTSUPP: "this kernel has no VLANs (CONFIG_VLAN_8021Q): load the module (modprobe 8021q)",
            EEXIST: `${vlan.on} has an interface for VLAN ${vlan.id} already: name that one as parent`,
            ENETDOWN: `bring ${vlan.on} up first (ip link set ${vlan.on} up)`,
          },
        }
      : {
          ...because({}, addLink({ kind: "dummy", name, up: true }), why),
          hints: {
            EOPNOTSUPP:
              "this kernel has no links that lead nowhere (CONFIG_DUMMY, modprobe dummy): name an interface with --opt parent=eth0",
          },
        };
  return Object.freeze({
    steps: [
      openNetlink("route", SOCKET, reasonFor(option, why)),
      ...(found?.steps ?? []),
      sendBatch(SOCKET, [message]),
    ],
  });
}

/** Removes a link of the host, and with it its addresses, routes and whatever is beside it; none there is fine. */
export function removeLinkPlan(name: string): Plan {
  const why = `remove the interface ${name}`;
  return Object.freeze({
    steps: [
      openNetlink("route", SOCKET, why),
      sendBatch(SOCKET, [{ kind: "message", request: deleteLink(name), why, tolerate: ["ENODEV"] }]),
    ],
  });
}

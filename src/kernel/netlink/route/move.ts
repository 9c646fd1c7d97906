import { attribute, join, text, u8, u16, u32, type Value } from "../chunk.ts";
import type { Request } from "../message.ts";
import type { LinkRef } from "./link.ts";
import { AF, IFLA, RTM } from "./numbers.ts";

/** Where an interface goes. */
export interface LinkMove {
  /** What it is called there; with `%d` the kernel finds a number. */
  readonly name: string;
  /** The pid of a process in that network namespace, or a descriptor of it. */
  readonly netns: { readonly pid: Value } | { readonly fd: Value };
  /** Its number there, which must be free; otherwise the kernel keeps its number or finds another. */
  readonly index?: Value;
}

/**
 * Move an interface to another network namespace, and rename it there. It is down afterwards and has no addresses.
 * EEXIST where the name is taken, EBUSY where the number is, EINVAL for those that cannot leave theirs.
 */
export function moveLink(link: LinkRef, { index, name, netns }: LinkMove): Request {
  const target =
    "pid" in netns ? attribute(IFLA.NET_NS_PID, u32(netns.pid)) : attribute(IFLA.NET_NS_FD, u32(netns.fd));
  const where = "pid" in netns ? netns.pid : netns.fd;
  return {
    type: RTM.NEWLINK,
    flags: 0,
    content: join(
      // struct ifinfomsg: family, type, index, flags, which flags change.
      join(u8(AF.UNSPEC, 0), u16(0), u32(link.index), u32(0), u32(0)),
      attribute(IFLA.IFNAME, text(name)),
      target,
      ...(index === undefined ? [] : [attribute(IFLA.NEW_IFINDEX, u32(index))]),
    ),
    words: [
      ...["ip", "link", "set", link.name, "netns"],
      typeof where === "number" ? String(where) : where,
      ...["name", name],
    ],
  };
}

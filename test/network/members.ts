import { createDirectory, type Member } from "../../src/network/dns/directory.ts";

/** Two containers on a network, as the resolver's directory has them. Addresses of loopback stand for a network. */

const NET = { id: "n1", name: "shop" };
export const GATEWAY = "127.53.0.1";
export const OUTSIDE = "127.53.9.1";

/** A member of the network `shop`, at its gateway's. */
export const member = (more: Partial<Member>): Member => ({
  containerId: `${more.names?.[0]}-id`,
  network: NET,
  names: ["web"],
  host: { ipv4: GATEWAY, ipv6: "fd53::1" },
  outside: true,
  servers: [],
  priority: 0,
  ...more,
});

export const WEB = member({
  names: ["web", "al", "0123456789ab", "WebHost"],
  ipv4: "127.53.0.2",
  ipv6: "fd53::2",
});
export const DB = member({ names: ["db", "al"], ipv4: "127.53.0.3", links: { Store: "web" } });

/** A directory that has `WEB` and `DB`. @param servers who is asked what it does not know */
export function directory(servers: readonly string[] = [OUTSIDE]) {
  const made = createDirectory(() => servers);
  made.add(WEB);
  made.add(DB);
  return made;
}

import { type Address, contains, lastOf, parseAddress, parseSubnet, type Subnet } from "./address.ts";
import type { Pool } from "./document.ts";
import { keyOf, type Taken } from "./reservations.ts";

/**
 * Which addresses of a pool are free is never written down: it follows from the pool and from who has one now. So
 * nothing can leak, whoever is killed when.
 */

/** Addresses nobody gets: the subnet's own and its broadcast (IPv4), the gateway, those of other machines. */
function kept(subnet: Subnet, pool: Pick<Pool, "gateway" | "reserved">): ReadonlySet<bigint> {
  const result = new Set<bigint>();
  for (const text of [pool.gateway, ...Object.values(pool.reserved ?? {})]) {
    const address = parseAddress(text);
    if (address) result.add(address.value);
  }
  const { family, length, base } = subnet;
  if (family === 4 && length < 31) result.add(base).add(lastOf(subnet));
  // The subnet router's anycast address (RFC 4291, 2.6.1).
  if (family === 6 && length < 127) result.add(base);
  return result;
}

/**
 * The lowest free address of a pool, of its range where it has one.
 * @param taken the addresses in use on this network
 * @returns null when there is none
 */
export function nextAddress(pool: Pool, taken: Taken): Address | null {
  const subnet = parseSubnet(pool.subnet)!;
  const within = pool.range === undefined ? subnet : parseSubnet(pool.range)!;
  const never = kept(subnet, pool);
  const last = lastOf(within);
  for (let value = within.base; value <= last; value++) {
    if (never.has(value)) continue;
    const address: Address = { family: subnet.family, value };
    if (!taken.has(keyOf(address))) return address;
  }
  return null;
}

export type Claim = "free" | "taken" | "outside";

/** Whether an address that is asked for can be had. Outside the range, but in the subnet, it can. */
export function claim(pool: Pool, address: Address, taken: Taken): Claim {
  const subnet = parseSubnet(pool.subnet)!;
  if (!contains(subnet, address)) return "outside";
  return kept(subnet, pool).has(address.value) || taken.has(keyOf(address)) ? "taken" : "free";
}

/** Whether an address can be nobody's: the subnet's own or its broadcast. */
export const neverGiven = (subnet: Subnet, { value }: Address): boolean =>
  kept(subnet, { gateway: "" }).has(value);

/**
 * The gateway of a pool for which none was asked: the first address of its range or subnet that can be one.
 * @returns null when the subnet has no room for it
 */
export function firstAddress(subnet: Subnet, range: Subnet | undefined): Address | null {
  const within = range ?? subnet;
  const never = kept(subnet, { gateway: "" });
  for (let value = within.base; value <= lastOf(within); value++) {
    if (!never.has(value)) return { family: subnet.family, value };
  }
  return null;
}

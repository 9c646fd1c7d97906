import { parseAddress } from "../../network/address.ts";
import { macFor } from "../../network/mac.ts";
import { announcePlan } from "../../network/wires/live.ts";
import type { Context } from "../context.ts";
import { type Place, wiresBy } from "./wires.ts";

/**
 * The Ethernet addresses that neighbours may remember where they do not follow from the IPv4 address, as all others do
 * (`macFor`), by network and address.
 */
export type Remembered = Map<string, Map<string, string>>;

/**
 * Who got an address that another Ethernet address had just now, because somebody chose one of them, tells the
 * network: it would be looked for at the old one for half a minute. Where it cannot be told, the memory ages.
 */
export async function announce(context: Context, pid: number, places: readonly Place[]): Promise<void> {
  const wires = wiresBy(places);
  for (const place of places) {
    const wire = wires.get(place.network.id);
    if (!wire || wire.link.driver === "ipvlan" || !isNew(context.remembered, place)) continue;
    await context.runPlan(announcePlan(pid, wire)).catch(() => undefined);
  }
}

function isNew(remembered: Remembered, { network, live }: Place): boolean {
  const address = live.ipv4 && parseAddress(live.ipv4.address);
  if (!address || live.mac === "") return false;
  const text = live.ipv4.address;
  const known = remembered.get(network.id) ?? new Map<string, string>();
  const before = known.get(text);
  const follows = live.mac === macFor(address);
  if (follows) known.delete(text);
  else known.set(text, live.mac);
  if (known.size === 0) remembered.delete(network.id);
  else remembered.set(network.id, known);
  return follows ? before !== undefined : before !== live.mac;
}

import { randomBytes } from "node:crypto";
import {
  type AskedEndpoint,
  hasIPv6,
  type LiveAddress,
  type LiveEndpoint,
  type SavedEndpoint,
} from "../../container/endpoint.ts";
import type { ContainerRecord } from "../../container/record.ts";
import { type Address, formatAddress, parseAddress } from "../../network/address.ts";
import { claim, nextAddress } from "../../network/allocate.ts";
import type { NetworkDocument } from "../../network/document.ts";
import { driverOf } from "../../network/drivers/drivers.ts";
import { macFor, parseMac } from "../../network/mac.ts";
import { type LivePool, poolsOf } from "../../network/pool.ts";
import { addressesOf } from "../../network/reservations.ts";
import { Refusal } from "../../oci/error.ts";
import type { Context } from "../context.ts";
import { IFNAME } from "./check.ts";

/**
 * Gives a container its addresses on one network; from here on nobody else gets them.
 * @throws Refusal (403) when what it asks for is taken, or nothing is left; nothing is taken then
 */
export function allocate(
  context: Context,
  record: ContainerRecord,
  network: NetworkDocument,
  endpoint: SavedEndpoint,
): LiveEndpoint {
  const { asked } = endpoint;
  const driver = driverOf(network);
  const wired = driver.addressed;
  const taken: Address[] = [];
  const id = randomBytes(32).toString("hex");
  const pools = wired ? poolsOf(network) : [];
  try {
    const ipv4 = addressOf(context, network, pools, 4, asked.IPAMConfig?.IPv4Address, taken, id);
    const ipv6 = hasIPv6(record.host)
      ? addressOf(context, network, pools, 6, asked.IPAMConfig?.IPv6Address, taken, id)
      : null;
    const live: LiveEndpoint = {
      id,
      networkId: network.id,
      mac: wired
        ? (parseMac(asked.MacAddress ?? "") ??
          macFor(taken[0] ?? { family: 4, value: BigInt(`0x${id.slice(0, 8)}`) }))
        : "",
      ipv4,
      ipv6,
      interface: wired ? interfaceName(record, asked, driver.interfacePrefix(network)) : "",
      host: network.driver === "bridge" ? `veth${randomBytes(4).toString("hex").slice(1)}` : "",
    };
    endpoint.networkId = network.id;
    endpoint.live = live;
    return live;
  } catch (error) {
    for (const address of taken) context.reservations.release(network.id, address, id);
    throw error;
  }
}

/** Gives the addresses of one place back. Idempotent. */
export function release(context: Context, endpoint: SavedEndpoint): void {
  const { live } = endpoint;
  if (live === null) return;
  endpoint.live = null;
  for (const address of addressesOf(live)) context.reservations.release(live.networkId, address, live.id);
}

/** All of a container's. */
export function releaseAll(context: Context, { endpoints }: ContainerRecord): void {
  for (const endpoint of Object.values(endpoints)) release(context, endpoint);
}

/**
 * Takes the addresses of a container that an earlier engine started and that runs. One that does not may have had the
 * same by its document, which is behind.
 */
export function reserveAll(context: Context, { endpoints }: ContainerRecord): void {
  for (const { live } of Object.values(endpoints)) {
    for (const address of live ? addressesOf(live) : []) {
      context.reservations.take(live!.networkId, address, live!.id);
    }
  }
}

function addressOf(
  { reservations }: Context,
  network: NetworkDocument,
  all: readonly LivePool[],
  family: 4 | 6,
  wanted: string | undefined,
  taken: Address[],
  holder: string,
): LiveAddress | null {
  const pools = all.filter((pool) => pool.family === family);
  if (pools.length === 0) return null;
  const inUse = reservations.taken(network.id);
  for (const { pool, subnet } of pools) {
    const asked = wanted ? parseAddress(wanted) : null;
    const found = asked ?? nextAddress(pool, inUse);
    if (found === null) continue;
    if (asked) {
      const how = claim(pool, asked, inUse);
      if (how === "outside") continue;
      if (how === "taken") throw new Refusal("forbidden", "Address already in use");
    }
    reservations.take(network.id, found, holder);
    taken.push(found);
    const gateway = driverOf(network).outward(network, family) === "gateway" ? pool.gateway : "";
    return { address: formatAddress(found), bits: subnet.length, gateway };
  }
  throw new Refusal(
    "forbidden",
    `no available IPv${family} addresses on this network's address pools: ${network.name} (${network.id})`,
  );
}

/** The name that is asked for, or the prefix with the lowest number that no other interface of the container has. */
function interfaceName({ endpoints }: ContainerRecord, asked: AskedEndpoint, prefix: string): string {
  const used = new Set(Object.values(endpoints).map(({ live }) => live?.interface));
  const wanted = asked.DriverOpts?.[IFNAME];
  if (wanted !== undefined) {
    if (used.has(wanted)) throw new Refusal("conflict", `interface name ${wanted} is used twice`);
    return wanted;
  }
  for (let number = 0; ; number++) if (!used.has(`${prefix}${number}`)) return `${prefix}${number}`;
}

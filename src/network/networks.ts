import { randomBytes } from "node:crypto";
import { Refusal } from "../oci/error.ts";
import type { NetworkCreateRequest } from "../wire/network.ts";
import { overlaps, parseSubnet, type Subnet } from "./address.ts";
import { type CreateFacts, draftNetwork, foundPool } from "./create.ts";
import { isBuiltin, type NetworkDocument, type NetworkId } from "./document.ts";
import { bridgeName } from "./drivers/bridge.ts";
import { hostAddresses, hostSubnets, linkExists, machineId } from "./host.ts";
import { BRIDGE_NAME, DEFAULT_BRIDGE } from "./options.ts";
import { poolsOf } from "./pool.ts";
import { freeSubnet4 } from "./pools.ts";
import { openNetworkStore } from "./store.ts";

/** The networks of one engine. Every change is on the disk before it counts. */
export interface Networks {
  /** In the order in which they were made, the three that are always there first. */
  all(): readonly NetworkDocument[];
  byName(name: string): NetworkDocument | undefined;
  byId(id: string): NetworkDocument | undefined;
  /**
   * By id, by name, or by the beginning of an id.
   * @throws Refusal (404) when there is none, (400) when several ids begin so
   */
  find(reference: string): NetworkDocument;
  /** @throws Refusal; nothing is made then */
  create(request: NetworkCreateRequest, now: string): NetworkDocument;
  /** Gives the default network other addresses where the host has come to use its own; only while nobody is on it. */
  settleDefault(): void;
  /** Gives the default network another bridge, and other addresses where need be; only while nobody is on it. */
  renameDefault(bridge: string): void;
  /** Forgets it; whether it may go is asked before. */
  remove(network: NetworkDocument): void;
  /** Documents that are not believed. */
  readonly damaged: readonly string[];
}

const DEFAULT_NAME = "cais0";

/**
 * Opens the networks below a root directory; those that are always there are made if need be.
 * @param root absolute; the engine's `--root`
 */
export function openNetworks(root: string, now: string): Networks {
  const store = openNetworkStore(root);
  for (const name of ["bridge", "host", "none"] as const) {
    if (!store.byName(name)) store.save(name === "bridge" ? defaultBridge(now) : plain(name, now));
  }
  return {
    all: () => store.all().toSorted((a, b) => Number(isBuiltin(b)) - Number(isBuiltin(a))),
    byName: store.byName,
    byId: store.byId,
    find(reference) {
      const whole = store.byId(reference) ?? store.byName(reference);
      if (whole) return whole;
      const near = /^[0-9a-f]{1,64}$/.test(reference)
        ? store.all().filter(({ id }) => id.startsWith(reference))
        : [];
      if (near.length > 1) {
        throw new Refusal(
          "invalid",
          `network ${reference} is ambiguous (${near.length} matches found based on ID prefix)`,
        );
      }
      if (near[0]) return near[0];
      throw new Refusal("notFound", `network ${reference.slice(0, 255)} not found`);
    },
    create(request, created) {
      const network = draftNetwork(request, factsOf(store.all(), created));
      store.save(network);
      return network;
    },
    remove: ({ id }) => store.remove(id),
    settleDefault() {
      const network = store.byName("bridge")!;
      const better = moved(
        network,
        store.all().filter(({ id }) => id !== network.id),
      );
      if (better) store.save(better);
    },
    renameDefault(bridge) {
      const network = store.byName("bridge")!;
      const renamed = { ...network, options: { ...network.options, [BRIDGE_NAME]: bridge } };
      const others = store.all().filter(({ id }) => id !== network.id);
      store.save(moved(renamed, others) ?? renamed);
    },
    damaged: store.damaged,
  };
}

function factsOf(others: readonly NetworkDocument[], now: string): CreateFacts {
  const own = new Set(others.filter(({ driver }) => driver === "bridge").map(bridgeName));
  const isOwn = (link: string): boolean => own.has(link);
  return {
    others,
    now,
    machine: machineId(),
    linkExists,
    hostSubnets: hostSubnets(isOwn),
    hostAddresses: hostAddresses(isOwn),
  };
}

const fixed = (name: string, now: string) =>
  ({
    format: 1,
    id: randomBytes(32).toString("hex") as NetworkId,
    name,
    created: now,
    ipv4: true,
    ipv6: false,
    internal: false,
    attachable: false,
    scope: "local",
    configOnly: false,
    configFrom: "",
    ipamDriver: "default",
    ipamOptions: null,
    pools: [],
    options: {},
    labels: {},
  }) as const;

const plain = (name: "host" | "none", now: string): NetworkDocument => ({
  ...fixed(name, now),
  driver: name === "none" ? "null" : name,
});

/** Options of the default network as Docker shows them. */
const DEFAULT_OPTIONS = {
  [DEFAULT_BRIDGE]: "true",
  "com.docker.network.bridge.enable_icc": "true",
  "com.docker.network.bridge.enable_ip_masquerade": "true",
  "com.docker.network.bridge.host_binding_ipv4": "0.0.0.0",
  [BRIDGE_NAME]: DEFAULT_NAME,
  "com.docker.network.driver.mtu": "1500",
} as const;

function defaultBridge(now: string): NetworkDocument {
  return {
    ...fixed("bridge", now),
    driver: "bridge",
    pools: [foundPool(freeSubnet4(hostSubnets((link) => link === DEFAULT_NAME)))],
    options: DEFAULT_OPTIONS,
  };
}

/**
 * The default network with addresses that are free: another block of the default pools where the host has come to use
 * the one that it had.
 * @param others the other networks
 * @returns null when it is fine as it is
 */
function moved(network: NetworkDocument, others: readonly NetworkDocument[]): NetworkDocument | null {
  const taken: Subnet[] = [
    ...others.flatMap(poolsOf).map(({ subnet }) => subnet),
    ...hostSubnets((link) => link === bridgeName(network)),
  ];
  const block = network.pools[0] === undefined ? null : parseSubnet(network.pools[0].subnet);
  if (block !== null && !taken.some((other) => overlaps(other, block))) return null;
  return { ...network, pools: [foundPool(freeSubnet4(taken))] };
}

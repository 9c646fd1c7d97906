import { check, type Json } from "../oci/json.ts";

/** The words a network's driver is told in. */
export const DRIVERS = ["bridge", "host", "null", "macvlan", "ipvlan"] as const;
export type DriverName = (typeof DRIVERS)[number];

/** 64 hexadecimal digits. */
export type NetworkId = string & { readonly __networkId: unique symbol };

/** One pool of a network's addresses; texts are normal forms. */
export interface Pool {
  readonly subnet: string;
  readonly range?: string;
  /** The address of the network's own end: of the bridge, or of the router beyond; empty where there is none. */
  readonly gateway: string;
  /** Addresses that other machines have, by name. */
  readonly reserved?: Readonly<Record<string, string>>;
  /** Whether a person chose the subnet: only then can a container ask for an address in it. */
  readonly chosen: boolean;
  /** Whether `gateway` was asked for: `inspect` of a chosen subnet shows it only then, as Docker does. */
  readonly gatewayChosen: boolean;
}

/** A network as it is kept on disk: one document, synced before it counts. */
export interface NetworkDocument {
  readonly format: 1;
  readonly id: NetworkId;
  readonly name: string;
  /** RFC 3339 with nanoseconds. */
  readonly created: string;
  readonly driver: DriverName;
  readonly ipv4: boolean;
  readonly ipv6: boolean;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly scope: string;
  readonly configOnly: boolean;
  /** Name of the configuration-only network it was made from; empty for none. */
  readonly configFrom: string;
  readonly pools: readonly Pool[];
  readonly ipamDriver: string;
  readonly ipamOptions: Readonly<Record<string, string>> | null;
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

const ID = /^[0-9a-f]{64}$/;
/** Whether a name of a folder is a network's id. */
export const isNetworkId = (text: string): text is NetworkId => ID.test(text);

/** Whether the network is one of the three that are always there. */
export const isBuiltin = ({ name }: Pick<NetworkDocument, "name">): boolean =>
  name === "bridge" || name === "host" || name === "none";

/**
 * A network from its document.
 * @throws Error when it is not one of this id
 */
export function parseNetwork(json: Json, id: string): NetworkDocument {
  check.object(json, `network ${id}`);
  check.equal(json.format, 1, `network ${id}: format`);
  check.equal(json.id, id, `network ${id}: id`);
  check.text(json.name, `network ${id}: name`);
  if (!DRIVERS.includes(check.text(json.driver, `network ${id}: driver`) as DriverName)) {
    throw new Error(`Cannot use network ${id}: its driver ${String(json.driver).slice(0, 80)} is not known`);
  }
  for (const pool of check.array(json.pools, 64, `network ${id}: pools`)) {
    check.object(pool, `network ${id}: pool`);
    check.text(pool.subnet, `network ${id}: subnet`);
    check.text(pool.gateway, `network ${id}: gateway`);
  }
  check.texts(json.options, `network ${id}: options`);
  check.texts(json.labels, `network ${id}: labels`);
  return json as unknown as NetworkDocument;
}

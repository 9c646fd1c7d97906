import { madeOnce } from "../../oci/once.ts";
import type { DriverName, NetworkDocument } from "../document.ts";
import { bridge } from "./bridge.ts";
import type { Driver } from "./driver.ts";
import { host, none } from "./plain.ts";
import { ipvlan, macvlan } from "./vlan.ts";

const drivers: Readonly<Record<DriverName, Driver>> = { bridge, host, null: none, macvlan, ipvlan };

/** The driver of a network. */
export const driverOf = ({ driver }: Pick<NetworkDocument, "driver">): Driver => drivers[driver];

/** The driver of that name; undefined for one that is not there. */
export const driverNamed = (name: string): Driver | undefined =>
  Object.hasOwn(drivers, name) ? drivers[name as DriverName] : undefined;

/** The host's own addresses on a network, IPv4 first. */
export const hostAddresses = madeOnce((network: NetworkDocument): readonly string[] =>
  (driverOf(network).bridge(network)?.addresses ?? [])
    .map(({ address }) => address)
    .sort((a, b) => Number(a.includes(":")) - Number(b.includes(":"))),
);

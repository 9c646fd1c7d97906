import { createHash } from "node:crypto";
import type { Network } from "../wire/network.ts";
import { notFound } from "./refuse.ts";

const NAMES = ["bridge", "host", "none"] as const;
const DRIVERS = { bridge: "bridge", host: "host", none: "null" } as const;
type Name = (typeof NAMES)[number];

const begun = new Date().toISOString();

/** One of the networks that are always there. */
export function fixedNetwork(name: Name | string): Network {
  const driver = DRIVERS[name as Name];
  if (!driver) throw notFound(`network ${name.slice(0, 255)} not found`);
  return {
    Name: name,
    Id: createHash("sha256").update(`cais network ${name}`).digest("hex"),
    Created: begun,
    Scope: "local",
    Driver: driver,
    EnableIPv4: true,
    EnableIPv6: false,
    IPAM: { Driver: "default", Options: null, Config: [] },
    Internal: false,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: "" },
    ConfigOnly: false,
    Containers: {},
    Options: {},
    Labels: {},
  };
}

/** The three of them. */
export const networks = (): Network[] => NAMES.map(fixedNetwork);

/** By name, id, or the beginning of an id. */
export function findNetwork(reference: string): Network {
  const found = networks().filter(({ Name, Id }) => Name === reference || Id === reference);
  const near = reference.length > 0 ? networks().filter(({ Id }) => Id.startsWith(reference)) : [];
  const network = found[0] ?? (near.length === 1 ? near[0] : undefined);
  if (!network) throw notFound(`network ${reference.slice(0, 255)} not found`);
  return network;
}

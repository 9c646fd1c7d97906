import { type Address, parseAddress } from "./address.ts";

/** Who has which address, in memory. It is filled from the containers' documents when the engine starts. */
export interface Reservations {
  /** What nobody else may have on that network. */
  taken(network: string): ReadonlySet<bigint>;
  take(network: string, address: Address): void;
  /** Idempotent. */
  release(network: string, address: Address): void;
}

/** Values of both families in one set: those of IPv6 have a bit that no address has. */
export const keyOf = ({ family, value }: Address): bigint => (family === 4 ? value : value | (1n << 128n));

const NOBODY: ReadonlySet<bigint> = new Set();

/** Nobody has anything yet. */
export function createReservations(): Reservations {
  const networks = new Map<string, Set<bigint>>();
  return {
    taken: (network) => networks.get(network) ?? NOBODY,
    take(network, address) {
      const taken = networks.get(network) ?? new Set<bigint>();
      networks.set(network, taken.add(keyOf(address)));
    },
    release(network, address) {
      const taken = networks.get(network);
      taken?.delete(keyOf(address));
      if (taken?.size === 0) networks.delete(network);
    },
  };
}

/** Both addresses of an endpoint. */
export const addressesOf = (endpoint: {
  readonly ipv4: { readonly address: string } | null;
  readonly ipv6: { readonly address: string } | null;
}): Address[] =>
  [endpoint.ipv4, endpoint.ipv6].flatMap((one) => {
    const address = one && parseAddress(one.address);
    return address ? [address] : [];
  });

import { type Address, parseAddress } from "./address.ts";

/** Who has which address, in memory. It is filled from the containers' documents when the engine starts. */
export interface Reservations {
  /** What nobody else may have on that network. */
  taken(network: string): Taken;
  /** @param holder id of the endpoint that has it from now on, whoever had it before */
  take(network: string, address: Address, holder: string): void;
  /** Nothing where another one has it by now. Idempotent. */
  release(network: string, address: Address, holder: string): void;
}

/** Addresses that somebody has, by their keys (`keyOf`). */
export interface Taken {
  has(key: bigint): boolean;
}

/** Values of both families in one set: those of IPv6 have a bit that no address has. */
export const keyOf = ({ family, value }: Address): bigint => (family === 4 ? value : value | (1n << 128n));

const NOBODY: Taken = new Set<bigint>();

/** Nobody has anything yet. */
export function createReservations(): Reservations {
  const networks = new Map<string, Map<bigint, string>>();
  return {
    taken: (network) => networks.get(network) ?? NOBODY,
    take(network, address, holder) {
      const taken = networks.get(network) ?? new Map<bigint, string>();
      networks.set(network, taken.set(keyOf(address), holder));
    },
    release(network, address, holder) {
      const taken = networks.get(network);
      const key = keyOf(address);
      if (taken?.get(key) !== holder) return;
      taken.delete(key);
      if (taken.size === 0) networks.delete(network);
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

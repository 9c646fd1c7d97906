import { type Address, addressBytes } from "./address.ts";

/** An Ethernet address, six pairs of lower-case hexadecimal digits. */
export type Mac = string & { readonly __mac: unique symbol };

/**
 * The Ethernet address that goes with an IP address: `02:42:` (unicast, locally administered; IEEE 802, 8.2) and the
 * four bytes of an IPv4 address, as Docker had it for ten years, or the last four of an IPv6 address. The next
 * container with that IP address has this one as well, so that neighbours that remember it are right: with random ones
 * they send into the void until their memory has aged.
 */
export const macFor = (address: Address): Mac =>
  format(Uint8Array.of(0x02, 0x42, ...addressBytes(address).subarray(-4)));

/**
 * Six bytes with colons, dashes, or as Cisco's three groups with dots.
 * @returns null for anything else
 */
export function parseMac(text: string): Mac | null {
  const pairs = /^[0-9a-f]{2}([:-])[0-9a-f]{2}(?:\1[0-9a-f]{2}){4}$/i.test(text);
  const groups = /^[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}$/i.test(text);
  return pairs || groups ? format(Buffer.from(text.replace(/[:.-]/g, ""), "hex")) : null;
}

const format = (bytes: Uint8Array): Mac =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(":") as Mac;

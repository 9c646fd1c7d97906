import { randomBytes } from "node:crypto";

/** An Ethernet address, six pairs of lower-case hexadecimal digits. */
export type Mac = string & { readonly __mac: unique symbol };

/** Random, unicast and locally administered (IEEE 802, 8.2): the second digit is 2, 6, a or e. */
export function randomMac(): Mac {
  const bytes = randomBytes(6);
  bytes[0] = (bytes[0]! & 0xfe) | 0x02;
  return format(bytes);
}

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

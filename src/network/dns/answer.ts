import { isIPv4 } from "node:net";
import type { Answer } from "dns-packet";
import type { Query } from "./packet.ts";
import type { NamesView } from "./view.ts";

/** Seconds for which our names hold, as Docker's do. */
const TTL = 600;

/**
 * What we know of a query.
 * @returns the records, none where the name is known but has nothing of the kind (NODATA); null where the name is
 * not ours
 */
export function localAnswer(view: NamesView, query: Query): readonly Answer[] | null {
  const { name, type } = query;
  const address = type === "PTR" ? addressOf(name) : undefined;
  if (address !== undefined) {
    const target = view.reverse(address);
    return target === undefined || !isSendable(target)
      ? null
      : [{ type: "PTR", name, ttl: TTL, data: target }];
  }
  const found = view.lookup(name);
  if (!found) return null;
  if (type !== "A" && type !== "AAAA") return [];
  const addresses = type === "A" ? found.ipv4 : found.ipv6;
  return shuffled(addresses).map((data): Answer => ({ type, name, ttl: TTL, data }));
}

/** Each of several gets its turn to be the first: clients take that one. */
function shuffled(addresses: readonly string[]): readonly string[] {
  if (addresses.length < 2) return addresses;
  const result = [...addresses];
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1));
    [result[last], result[other]] = [result[other]!, result[last]!];
  }
  return result;
}

/** Container names may be longer than a label can be (RFC 1035, 2.3.4). */
const isSendable = (name: string): boolean =>
  name.length < 254 && name.split(".").every((label) => label.length > 0 && label.length < 64);

/** The address that a reverse name is for: `2.0.18.172.in-addr.arpa`, or 32 digits before `ip6.arpa` (RFC 3596). */
export function addressOf(name: string): string | undefined {
  const v4 = /^(\d{1,3}(?:\.\d{1,3}){3})\.in-addr\.arpa$/.exec(name)?.[1];
  if (v4 !== undefined) {
    const address = v4.split(".").reverse().join(".");
    return isIPv4(address) ? address : undefined;
  }
  const v6 = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(name)?.[1];
  if (v6 === undefined) return undefined;
  const digits = v6.replaceAll(".", "").split("").reverse().join("");
  // The URL parser knows the normal form (RFC 5952).
  return new URL(`http://[${digits.match(/.{4}/g)!.join(":")}]`).hostname.slice(1, -1);
}

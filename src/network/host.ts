import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { overlaps, parseAddress, parsePrefix, type Subnet, subnetOf } from "./address.ts";

/**
 * Blocks that the host uses: its addresses and routes and its name servers (`/proc/net/route`,
 * `/proc/net/ipv6_route`). Networks without a chosen subnet keep clear of them.
 * @param except links of our own
 */
export function hostSubnets(except: (link: string) => boolean): Subnet[] {
  return [
    ...linkAddresses(except).map(({ subnet }) => subnet),
    ...routes4(except),
    ...routes6(except),
    ...nameServers(),
  ];
}

/**
 * Blocks of the addresses that the host's interfaces have. Of interfaces without a carrier the address alone is known,
 * and not the interface, whose name is empty then.
 */
export function hostAddresses(
  except: (link: string) => boolean,
): { readonly link: string; readonly subnet: Subnet }[] {
  const known = linkAddresses(except);
  const others = ownAddresses4().filter((own) => !known.some(({ subnet }) => overlaps(subnet, own)));
  return [...known, ...others.map((subnet) => ({ link: "", subnet }))];
}

function linkAddresses(
  except: (link: string) => boolean,
): { readonly link: string; readonly subnet: Subnet }[] {
  return Object.entries(networkInterfaces())
    .filter(([link]) => !except(link))
    .flatMap(([link, addresses = []]) =>
      addresses.flatMap(({ cidr }) => {
        const prefix = cidr === null ? null : parsePrefix(cidr);
        const subnet = prefix && subnetOf(prefix.address, prefix.length);
        // Every link has addresses of this block.
        return subnet && !isLinkLocal(subnet) ? [{ link, subnet }] : [];
      }),
    );
}

/** The kernel's table of local addresses: a leaf, and what it is (`/proc/net/fib_trie`). */
function ownAddresses4(): Subnet[] {
  const text = lines("/proc/net/fib_trie").join("\n");
  return [...text.matchAll(/\|-- ([\d.]+)\n\s+\/32 host LOCAL/g)].flatMap(([, address = ""]) => {
    const own = parseAddress(address);
    return own && !address.startsWith("127.") ? [subnetOf(own, 32)] : [];
  });
}

/** fe80::/10. */
const isLinkLocal = ({ family, base }: Subnet): boolean => family === 6 && base >> 118n === 0x3fan;

/** Whether the host has an interface of that name. */
export function linkExists(name: string): boolean {
  return lines("/proc/net/dev").some((line) => line.slice(0, line.lastIndexOf(":")).trim() === name);
}

/** What tells this machine from others; the same while its system lives. */
export const machineId = (): string => lines("/etc/machine-id")[0] ?? "";

/** Destination and mask are 32-bit numbers in the host's order; both architectures are little-endian. */
function routes4(except: (link: string) => boolean): Subnet[] {
  return lines("/proc/net/route")
    .slice(1)
    .flatMap((line) => {
      const [link = "", destination = "", , , , , , mask = ""] = line.split("\t");
      const length = bits(swapped(mask));
      // The default route is not a use of every address.
      return length === 0 || except(link)
        ? []
        : [subnetOf({ family: 4, value: swapped(destination) }, length)];
    });
}

function routes6(except: (link: string) => boolean): Subnet[] {
  return lines("/proc/net/ipv6_route").flatMap((line) => {
    const fields = line.split(/\s+/);
    const [destination = "0", length = "0"] = fields;
    const subnet = subnetOf({ family: 6, value: BigInt(`0x${destination}`) }, Number.parseInt(length, 16));
    // Multicast addresses are on every link, too.
    const everywhere = isLinkLocal(subnet) || subnet.base >> 120n === 0xffn;
    return subnet.length === 0 || everywhere || except(fields[9] ?? "") ? [] : [subnet];
  });
}

function nameServers(): Subnet[] {
  return lines("/etc/resolv.conf").flatMap((line) => {
    const address = parseAddress(/^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? "");
    return address ? [subnetOf(address, address.family === 4 ? 32 : 128)] : [];
  });
}

const swapped = (hex: string): bigint =>
  BigInt(`0x${/^[0-9A-F]{8}$/.test(hex) ? hex.match(/../g)!.reverse().join("") : "0"}`);

function bits(mask: bigint): number {
  let count = 0;
  for (let left = mask; left > 0n; left &= left - 1n) count++;
  return count;
}

function lines(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\n").filter(Boolean);
  } catch {
    // No IPv6 in this kernel, or no resolv.conf.
    return [];
  }
}

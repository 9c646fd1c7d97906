/** Addresses as the kernel has them: 4 or 16 bytes in network order, or 6 of a link. */

/** Bytes of an IPv4 or IPv6 address; undefined for text that is none. IPv4 has four decimals and no leading zero. */
export function addressBytes(text: string): Uint8Array | undefined {
  return text.includes(":") ? v6(text) : v4(text);
}

function v4(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return undefined;
  return Uint8Array.from(parts, Number);
}

/** RFC 4291, section 2.2: eight groups, one run of zeros as `::`, the last two groups as an IPv4 address. */
function v6(text: string): Uint8Array | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const groups = halves.map((half) => (half === "" ? [] : half.split(":")));
  const bytes: number[][] = [];
  for (const [index, half] of groups.entries()) {
    const read: number[] = [];
    for (const [position, group] of half.entries()) {
      if (group.includes(".")) {
        const tail = index === groups.length - 1 && position === half.length - 1 ? v4(group) : undefined;
        if (tail === undefined) return undefined;
        read.push(...tail);
      } else if (/^[\da-f]{1,4}$/i.test(group)) {
        const value = Number.parseInt(group, 16);
        read.push(value >> 8, value & 0xff);
      } else return undefined;
    }
    bytes.push(read);
  }
  const [head = [], tail = []] = bytes;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined;
  return Uint8Array.from([...head, ...new Array<number>(missing).fill(0), ...tail]);
}

/** RFC 5952: lower case, the longest run of two or more zero groups as `::`. */
export function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from(
    { length: 8 },
    (_, index) => ((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0),
  );
  let start = -1;
  let longest = 1;
  for (let from = 0; from < 8; from++) {
    let to = from;
    while (to < 8 && groups[to] === 0) to++;
    if (to - from > longest) [start, longest] = [from, to - from];
  }
  const words = groups.map((group) => group.toString(16));
  if (start < 0) return words.join(":");
  return `${words.slice(0, start).join(":")}::${words.slice(start + longest).join(":")}`;
}

/** `"02:42:ac:11:00:02"`; throws for text that is no MAC address. */
export function macBytes(text: string): Uint8Array {
  if (!/^[\da-f]{2}(:[\da-f]{2}){5}$/i.test(text))
    throw new Error(
      `Cannot use ${JSON.stringify(text.slice(0, 40))} as a MAC address: six bytes as 02:42:ac:11:00:02 are needed`,
    );
  return Uint8Array.from(text.split(":"), (byte) => Number.parseInt(byte, 16));
}

/** `"02:42:ac:11:00:02"` */
export const macText = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(":");

/** Bytes of an address that has been checked before; throws for any other. */
export function knownAddress(text: string): Uint8Array {
  const bytes = addressBytes(text);
  if (bytes === undefined)
    throw new Error(`Cannot use ${JSON.stringify(text.slice(0, 60))} as an IP address`);
  return bytes;
}

/** `"172.17.0.0/16"` → its bytes and bits; throws for text that is no network. */
export function knownNetwork(text: string): { readonly bytes: Uint8Array; readonly bits: number } {
  const [address = "", bits = ""] = text.split("/");
  const bytes = knownAddress(address);
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > bytes.length * 8)
    throw new Error(
      `Cannot use ${JSON.stringify(text.slice(0, 60))} as a network: its prefix length is wrong`,
    );
  return { bytes, bits: Number(bits) };
}

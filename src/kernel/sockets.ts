/** A socket that waits for somebody: a TCP listener, or a UDP socket that is connected to nobody. */
export interface WaitingSocket {
  /** `0.0.0.0`, `::`, `127.0.0.1`. IPv6 in the kernel's order of digits, not shortened but for `::` and `::1`. */
  readonly address: string;
  readonly port: number;
}

const LISTEN = "0A";
/** A UDP socket without a peer is in the state that TCP calls closed. */
const UNCONNECTED = "07";

/**
 * What waits, from a file of `/proc/<pid>/net`: `tcp`, `tcp6`, `udp` or `udp6` (proc_pid_net(5)). Addresses are words
 * of 32 bits in the host's byte order, which is little-endian on both architectures; ports are in plain hexadecimal.
 */
export function waitingSockets(text: string): WaitingSocket[] {
  return text.split("\n").flatMap((line) => {
    const [, local = "", , state] = line.trim().split(/\s+/);
    const match = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(local);
    if (!match || (state !== LISTEN && state !== UNCONNECTED)) return [];
    const [, hex = "", port = ""] = match;
    const bytes = hex.match(/.{8}/g)!.flatMap((word) => word.match(/../g)!.reverse());
    return [{ address: addressOf(bytes), port: Number.parseInt(port, 16) }];
  });
}

function addressOf(bytes: readonly string[]): string {
  if (bytes.length === 4) return bytes.map((byte) => Number.parseInt(byte, 16)).join(".");
  const hex = bytes.join("").toLowerCase();
  if (/^0+$/.test(hex)) return "::";
  if (/^0+1$/.test(hex)) return "::1";
  // RFC 4291, 2.5.5.2: an IPv4 address in an IPv6 socket.
  if (/^0{20}ffff/.test(hex)) {
    const quad = bytes.slice(12).map((byte) => Number.parseInt(byte, 16));
    return quad.join(".");
  }
  return hex
    .match(/.{4}/g)!
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":");
}

import { readFileSync } from "node:fs";
import { isV6, type PortProtocol } from "./published.ts";

/** Which ports of the host this engine has given away, before the kernel is asked. */
export interface Allocator {
  /** Who holds what would collide: his address; undefined when it is free. */
  holder(protocol: PortProtocol, address: string, port: number): string | undefined;
  take(protocol: PortProtocol, address: string, port: number): void;
  release(protocol: PortProtocol, address: string, port: number): void;
  /** Ephemeral ports in the order they are to be tried: on from the last one given, as Docker does. */
  ephemeral(protocol: PortProtocol): Generator<number>;
}

/** @param range the kernel's `ip_local_port_range`, read at each use: it may change */
export function createAllocator(range: () => readonly [number, number] = localPortRange): Allocator {
  const held = new Map<string, Set<string>>();
  const next = new Map<PortProtocol, number>();
  return {
    holder(protocol, address, port) {
      for (const other of held.get(`${port}/${protocol}`) ?? []) {
        if (isV6(other) !== isV6(address)) continue;
        if (other === address || isAny(other) || isAny(address)) return other;
      }
      return undefined;
    },
    take(protocol, address, port) {
      const key = `${port}/${protocol}`;
      const addresses = held.get(key) ?? new Set();
      held.set(key, addresses.add(address));
    },
    release(protocol, address, port) {
      const key = `${port}/${protocol}`;
      const addresses = held.get(key);
      addresses?.delete(address);
      if (addresses?.size === 0) held.delete(key);
    },
    *ephemeral(protocol) {
      const [first, last] = range();
      const count = last - first + 1;
      const begin = Math.max(0, (next.get(protocol) ?? first) - first);
      for (let i = 0; i < count; i++) {
        const port = first + ((begin + i) % count);
        next.set(protocol, port + 1);
        yield port;
      }
    },
  };
}

const isAny = (address: string): boolean => address === "0.0.0.0" || address === "::";

/** ip_local_port_range of ip(7); the kernel's own default where it cannot be read. */
function localPortRange(): [number, number] {
  try {
    const text = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8");
    const [first = 0, last = 0] = text.trim().split(/\s+/).map(Number);
    if (first > 0 && last >= first && last <= 65535) return [first, last];
  } catch {
    // No /proc here.
  }
  return [32768, 60999];
}

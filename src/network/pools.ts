import { createHash } from "node:crypto";
import { overlaps, parseSubnet, type Subnet } from "./address.ts";

/** Blocks that networks without a chosen subnet are cut from, in this order (Docker's default address pools). */
const POOLS_4 = [
  ...Array.from({ length: 15 }, (_, i) => ({ from: `172.${17 + i}.0.0/16`, length: 16 })),
  { from: "192.168.0.0/16", length: 20 },
] as const;

/**
 * The first free block of the default pools.
 * @param taken blocks of other networks and of the host
 * @returns null when all are taken
 */
export function freeSubnet4(taken: readonly Subnet[]): Subnet | null {
  for (const { from, length } of POOLS_4) {
    const pool = parseSubnet(from)!;
    const step = 1n << BigInt(32 - length);
    const count = 1n << BigInt(length - pool.length);
    for (let i = 0n; i < count; i++) {
      const block: Subnet = { family: 4, base: pool.base + i * step, length };
      if (!taken.some((other) => overlaps(other, block))) return block;
    }
  }
  return null;
}

/**
 * The first free /64 of this machine's own /48 of unique local addresses (RFC 4193). The 40 bits behind `fd` are of
 * the machine's id, so that they stay the same while it lives and differ from other machines'.
 */
export function freeSubnet6(machine: string, taken: readonly Subnet[]): Subnet | null {
  const digest = createHash("sha256").update(`cais ${machine}`).digest();
  const global = BigInt(`0x${digest.subarray(0, 5).toString("hex")}`);
  const base = (0xfdn << 120n) | (global << 80n);
  for (let i = 0n; i < 65_536n; i++) {
    const block: Subnet = { family: 6, base: base | (i << 64n), length: 64 };
    if (!taken.some((other) => overlaps(other, block))) return block;
  }
  return null;
}

/** Conversions from cgroup v1's numbers, which Docker and the runtime specification speak, to v2's. */

/**
 * `cpu.shares` (2 to 262144, default 1024) as `cpu.weight` (1 to 10000, default 100): a curve through the
 * minimum, the default and the maximum of both, the one runc and crun use since 2025. 0 means unset.
 */
export function sharesToWeight(shares: number): number {
  if (shares <= 0) return 0;
  if (shares <= 2) return 1;
  if (shares >= 262_144) return 10_000;
  const log = Math.log2(shares);
  return Math.ceil(10 ** ((log * log + 125 * log) / 612 - 7 / 34));
}

/** `blkio.weight` (10 to 1000) as `io.weight` (1 to 10000), linear. 0 means unset. */
export function blockWeightToIo(weight: number): number {
  return weight === 0 ? 0 : 1 + Math.floor(((weight - 10) * 9999) / 990);
}

/** A limit as v2 writes it: "max" for anything below zero. */
export const orMax = (limit: number): string => (limit < 0 ? "max" : String(limit));

/**
 * v1's "memory and swap together" as v2's "swap alone" (`memory.swap.max`), or undefined where nothing is to
 * be written. Both in bytes, -1 is unlimited.
 */
export function swapAlone(memory: number | undefined, both: number | undefined): string | undefined {
  if (both === undefined || both === 0) return memory === -1 ? "max" : undefined;
  if (both < 0) return "max";
  if (memory === undefined || memory <= 0) return undefined;
  return String(Math.max(0, both - memory));
}

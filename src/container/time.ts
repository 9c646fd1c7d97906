/** Wall clock in nanoseconds at the moment that `process.hrtime` read zero; steps of the clock are followed. */
let offset = 0n;
let checked = 0;

function nanoseconds(): bigint {
  const milliseconds = Date.now();
  const monotonic = process.hrtime.bigint();
  // The wall clock may be set; the two are compared again each second.
  if (milliseconds - checked > 1000 || milliseconds < checked) {
    checked = milliseconds;
    offset = BigInt(milliseconds) * 1_000_000n - monotonic;
  }
  return monotonic + offset;
}

/** Now, as Docker writes times: RFC 3339 with nanoseconds, UTC. */
export function now(): string {
  return formatTime(nanoseconds());
}

/** Now in nanoseconds since the epoch. */
export const nowNanoseconds = (): bigint => nanoseconds();

/** @param at nanoseconds since the epoch */
export function formatTime(at: bigint): string {
  const second = at / 1_000_000_000n;
  const fraction = (at % 1_000_000_000n).toString().padStart(9, "0");
  return `${new Date(Number(second) * 1000).toISOString().slice(0, 19)}.${fraction}Z`;
}

/** Go's zero time: what Docker answers for "never". */
export const NEVER = "0001-01-01T00:00:00Z";

/**
 * Nanoseconds since the epoch of what clients send as `since` and `until`: seconds with up to nine decimals
 * (`1700000000.123456789`) or RFC 3339. Null when it is neither.
 */
export function parseTime(text: string): bigint | null {
  const unix = /^(-?\d{1,12})(?:\.(\d{1,9}))?$/.exec(text);
  if (unix) return BigInt(unix[1]!) * 1_000_000_000n + BigInt((unix[2] ?? "").padEnd(9, "0"));
  const match =
    /^(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/.exec(text) ?? null;
  if (!match) return null;
  const milliseconds = Date.parse(match[1]!.replace(" ", "T") + match[3]!.toUpperCase());
  if (Number.isNaN(milliseconds)) return null;
  return BigInt(milliseconds) * 1_000_000n + BigInt((match[2] ?? "").padEnd(9, "0"));
}

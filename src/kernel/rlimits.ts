/** Resource limits and their numbers, from `asm-generic/resource.h`. */
export const RLIMITS = {
  RLIMIT_CPU: 0,
  RLIMIT_FSIZE: 1,
  RLIMIT_DATA: 2,
  RLIMIT_STACK: 3,
  RLIMIT_CORE: 4,
  RLIMIT_RSS: 5,
  RLIMIT_NPROC: 6,
  RLIMIT_NOFILE: 7,
  RLIMIT_MEMLOCK: 8,
  RLIMIT_AS: 9,
  RLIMIT_LOCKS: 10,
  RLIMIT_SIGPENDING: 11,
  RLIMIT_MSGQUEUE: 12,
  RLIMIT_NICE: 13,
  RLIMIT_RTPRIO: 14,
  RLIMIT_RTTIME: 15,
} as const;

export type RlimitName = keyof typeof RLIMITS;

export const RLIM_INFINITY = 0xffff_ffff_ffff_ffffn;

/** The limit a person means: `nofile`, `NOFILE` or `RLIMIT_NOFILE`. Undefined where there is none. */
export function rlimitName(word: string): RlimitName | undefined {
  const upper = word.toUpperCase();
  const name = upper.startsWith("RLIMIT_") ? upper : `RLIMIT_${upper}`;
  return Object.hasOwn(RLIMITS, name) ? (name as RlimitName) : undefined;
}

/** As the kernel takes it (`struct rlimit64`): negative, or too large for the field, is no limit. */
export function rlimitValue(value: number): bigint {
  return value < 0 || value >= 2 ** 63 ? RLIM_INFINITY : BigInt(Math.trunc(value));
}

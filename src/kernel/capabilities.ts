import { readFileSync } from "node:fs";

/** Capabilities and their numbers, from `linux/capability.h`. */
export const CAPABILITIES = {
  CAP_CHOWN: 0,
  CAP_DAC_OVERRIDE: 1,
  CAP_DAC_READ_SEARCH: 2,
  CAP_FOWNER: 3,
  CAP_FSETID: 4,
  CAP_KILL: 5,
  CAP_SETGID: 6,
  CAP_SETUID: 7,
  CAP_SETPCAP: 8,
  CAP_LINUX_IMMUTABLE: 9,
  CAP_NET_BIND_SERVICE: 10,
  CAP_NET_BROADCAST: 11,
  CAP_NET_ADMIN: 12,
  CAP_NET_RAW: 13,
  CAP_IPC_LOCK: 14,
  CAP_IPC_OWNER: 15,
  CAP_SYS_MODULE: 16,
  CAP_SYS_RAWIO: 17,
  CAP_SYS_CHROOT: 18,
  CAP_SYS_PTRACE: 19,
  CAP_SYS_PACCT: 20,
  CAP_SYS_ADMIN: 21,
  CAP_SYS_BOOT: 22,
  CAP_SYS_NICE: 23,
  CAP_SYS_RESOURCE: 24,
  CAP_SYS_TIME: 25,
  CAP_SYS_TTY_CONFIG: 26,
  CAP_MKNOD: 27,
  CAP_LEASE: 28,
  CAP_AUDIT_WRITE: 29,
  CAP_AUDIT_CONTROL: 30,
  CAP_SETFCAP: 31,
  CAP_MAC_OVERRIDE: 32,
  CAP_MAC_ADMIN: 33,
  CAP_SYSLOG: 34,
  CAP_WAKE_ALARM: 35,
  CAP_BLOCK_SUSPEND: 36,
  CAP_AUDIT_READ: 37,
  CAP_PERFMON: 38,
  CAP_BPF: 39,
  CAP_CHECKPOINT_RESTORE: 40,
} as const;

export type CapabilityName = keyof typeof CAPABILITIES;

/** What a container's root has when nothing is said, in Docker's order (moby's `oci/caps` defaults). */
export const DEFAULT_CAPABILITIES: readonly CapabilityName[] = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FSETID",
  "CAP_FOWNER",
  "CAP_MKNOD",
  "CAP_NET_RAW",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETFCAP",
  "CAP_SETPCAP",
  "CAP_NET_BIND_SERVICE",
  "CAP_SYS_CHROOT",
  "CAP_KILL",
  "CAP_AUDIT_WRITE",
];

/** The capability a person means: in any case, with or without `CAP_`. Undefined where there is none. */
export function capabilityName(word: string): CapabilityName | undefined {
  const upper = word.toUpperCase();
  const name = upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
  return Object.hasOwn(CAPABILITIES, name) ? (name as CapabilityName) : undefined;
}

/** Bits as `capset(2)` and `/proc/<pid>/status` have them; names the kernel has not are left out by the caller. */
export function capabilityMask(names: Iterable<CapabilityName>): bigint {
  let mask = 0n;
  for (const name of names) mask |= 1n << BigInt(CAPABILITIES[name]);
  return mask;
}

/** Every capability with a number up to `last`, in the order of their numbers. */
export function capabilitiesUpTo(last: number): readonly CapabilityName[] {
  return (Object.keys(CAPABILITIES) as CapabilityName[]).filter((name) => CAPABILITIES[name] <= last);
}

/** The highest capability of the running kernel (`/proc/sys/kernel/cap_last_cap`), which may be one not named here. */
export function readLastCapability(): number {
  const text = readFileSync("/proc/sys/kernel/cap_last_cap", "latin1").trim();
  if (!/^\d{1,2}$/.test(text)) throw new Error(`Cannot read the kernel's last capability: it says "${text}"`);
  return Number(text);
}

/** What this process may have (its permitted set); in a container that is less than all. */
export function ownCapabilities(): readonly CapabilityName[] {
  const line = /^CapPrm:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "latin1"));
  const mask = BigInt(`0x${line?.[1] ?? "0"}`);
  return (Object.keys(CAPABILITIES) as CapabilityName[]).filter(
    (name) => ((mask >> BigInt(CAPABILITIES[name])) & 1n) === 1n,
  );
}

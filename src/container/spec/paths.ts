import type { HostConfig } from "../../wire/container.ts";
import type { SpecFacts } from "./facts.ts";

/** Hidden by an empty file or directory: what tells of, or reaches, the machine itself. Docker 28's list. */
export const DEFAULT_MASKED = [
  "/proc/asound",
  "/proc/acpi",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
];

export const DEFAULT_READONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/** Far above any machine; the counting stops at the first processor that has no directory. */
const MOST_PROCESSORS = 8192;

/** The masked and the read-only paths: none with `--privileged` or when asked for none. */
export function protectedPaths(
  host: HostConfig,
  facts: SpecFacts,
): { readonly maskedPaths?: readonly string[]; readonly readonlyPaths?: readonly string[] } {
  if (host.Privileged) return {};
  const maskedPaths = host.MaskedPaths ?? [...DEFAULT_MASKED, ...thermal(facts)];
  const readonlyPaths = host.ReadonlyPaths ?? DEFAULT_READONLY;
  return {
    ...(maskedPaths.length > 0 ? { maskedPaths } : {}),
    ...(readonlyPaths.length > 0 ? { readonlyPaths } : {}),
  };
}

/** Counters of each processor's heat, a side channel, where the hardware has them. */
function thermal({ exists }: SpecFacts): readonly string[] {
  const path = (cpu: number) => `/sys/devices/system/cpu/cpu${cpu}/thermal_throttle`;
  const paths: string[] = [];
  for (let cpu = 0; cpu < MOST_PROCESSORS && exists(path(cpu)); cpu++) paths.push(path(cpu));
  return paths;
}

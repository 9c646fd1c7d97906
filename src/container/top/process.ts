import { readFileSync, statSync } from "node:fs";
import { readStat } from "../../kernel/process.ts";

/** One process as `/proc` tells it (proc_pid_stat(5)). */
export interface Process {
  readonly pid: number;
  readonly ppid: number;
  readonly uid: number;
  readonly gid: number;
  readonly state: string;
  /** proc_pid_stat(5), the kernel's bits. */
  readonly flags: number;
  readonly group: number;
  readonly session: number;
  readonly foreground: boolean;
  readonly threads: number;
  readonly nice: number;
  readonly priority: number;
  /** The processor it ran on last. */
  readonly processor: number;
  readonly terminal: string;
  /** Hundredths of a second. */
  readonly ticks: number;
  readonly started: Date;
  /** KiB. */
  readonly virtual: number;
  readonly resident: number;
  /** The program's own name, at most 15 bytes. */
  readonly name: string;
  readonly command: string;
}

/** USER_HZ, the same on every architecture that is supported. */
export const HZ = 100;
const PAGE_KIB = 4;

/**
 * What `/proc` says of a process.
 * @param boot milliseconds since 1970
 * @returns null when it has ended
 */
export function readProcess(pid: number, boot: number): Process | null {
  try {
    const stat = readStat(pid);
    if (stat === null) return null;
    const owner = statSync(`/proc/${pid}`);
    const at = (field: number): number => Number(stat.field(field));
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trimEnd();
    return {
      pid,
      ppid: at(4),
      uid: owner.uid,
      gid: owner.gid,
      state: stat.field(3),
      flags: at(9),
      group: at(5),
      session: at(6),
      foreground: at(8) === at(5),
      threads: at(20),
      nice: at(19),
      priority: at(18),
      processor: at(39),
      terminal: terminalName(at(7)),
      ticks: at(14) + at(15),
      started: new Date(boot + (at(22) / HZ) * 1000),
      virtual: Math.floor(at(23) / 1024),
      resident: at(24) * PAGE_KIB,
      name: stat.name,
      command: command || `[${stat.name}]`,
    };
  } catch {
    // It has ended since it was listed.
    return null;
  }
}

/** Device numbers of terminals (Documentation/admin-guide/devices.txt): 136 and up are `pts`, 4 is `tty`. */
function terminalName(device: number): string {
  const major = (device >> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00);
  if (major >= 136 && major <= 143) return `pts/${(major - 136) * 256 + minor}`;
  return major === 4 ? `tty${minor}` : "?";
}

/** Milliseconds since 1970. */
export const bootTime = (): number =>
  Number(/^btime (\d+)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1] ?? 0) * 1000;

/** KiB. */
export const memoryTotal = (): number =>
  Number(/^MemTotal:\s+(\d+)/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1] ?? 1);

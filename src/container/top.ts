import { readFileSync, statSync } from "node:fs";
import { readStat } from "../kernel/process.ts";
import type { ContainerTop } from "../wire/lifecycle.ts";

/** One process as `/proc` tells it (proc_pid_stat(5)). */
interface Process {
  readonly pid: number;
  readonly ppid: number;
  readonly uid: number;
  readonly state: string;
  readonly session: number;
  readonly foreground: boolean;
  readonly threads: number;
  readonly nice: number;
  readonly terminal: string;
  /** Hundredths of a second. */
  readonly ticks: number;
  readonly started: Date;
  /** KiB. */
  readonly virtual: number;
  readonly resident: number;
  readonly command: string;
}

/** USER_HZ, the same on every architecture that is supported. */
const HZ = 100;
const PAGE_KIB = 4;

/**
 * The processes in a container in the words of `ps`. Two forms: `-ef` (the default) and `aux`.
 * @returns one sentence when another form is asked for
 */
export function top(pids: readonly number[], form: string): ContainerTop | string {
  const columns =
    FORMS[
      form
        .trim()
        .replace(/^-?ef$/, "-ef")
        .replace(/^-?aux$/, "aux") || "-ef"
    ];
  if (!columns) return `ps arguments '${form.slice(0, 40)}' are not supported: use -ef or aux`;
  const boot = bootTime();
  const total = memoryTotal();
  const processes = pids.map((pid) => readProcess(pid, boot)).filter((one) => one !== null);
  return {
    Titles: columns.map(([title]) => title),
    Processes: processes.map((process) => columns.map(([, value]) => value(process, total))),
  };
}

type Column = readonly [title: string, value: (process: Process, memory: number) => string];

const share = ({ ticks, started }: Process): number => {
  const seconds = Math.max(1, (Date.now() - started.getTime()) / 1000);
  return (ticks / HZ / seconds) * 100;
};

const FORMS: Readonly<Record<string, readonly Column[]>> = {
  "-ef": [
    ["UID", (p) => userName(p.uid)],
    ["PID", (p) => String(p.pid)],
    ["PPID", (p) => String(p.ppid)],
    ["C", (p) => String(Math.floor(share(p)))],
    ["STIME", (p) => startText(p.started)],
    ["TTY", (p) => p.terminal],
    ["TIME", (p) => longTime(p.ticks)],
    ["CMD", (p) => p.command],
  ],
  aux: [
    ["USER", (p) => userName(p.uid)],
    ["PID", (p) => String(p.pid)],
    ["%CPU", (p) => share(p).toFixed(1)],
    ["%MEM", (p, memory) => ((p.resident / memory) * 100).toFixed(1)],
    ["VSZ", (p) => String(p.virtual)],
    ["RSS", (p) => String(p.resident)],
    ["TTY", (p) => p.terminal],
    ["STAT", (p) => statText(p)],
    ["START", (p) => startText(p.started)],
    ["TIME", (p) => `${Math.floor(p.ticks / HZ / 60)}:${two(Math.floor(p.ticks / HZ) % 60)}`],
    ["COMMAND", (p) => p.command],
  ],
};

function readProcess(pid: number, boot: number): Process | null {
  try {
    const stat = readStat(pid);
    if (stat === null) return null;
    const at = (field: number): number => Number(stat.field(field));
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trimEnd();
    return {
      pid,
      ppid: at(4),
      uid: statSync(`/proc/${pid}`).uid,
      state: stat.field(3),
      session: at(6),
      foreground: at(8) === at(5),
      threads: at(20),
      nice: at(19),
      terminal: terminalName(at(7)),
      ticks: at(14) + at(15),
      started: new Date(boot + (at(22) / HZ) * 1000),
      virtual: Math.floor(at(23) / 1024),
      resident: at(24) * PAGE_KIB,
      command: command || `[${stat.name}]`,
    };
  } catch {
    // It has ended since it was listed.
    return null;
  }
}

function statText({ state, nice, pid, session, threads, foreground }: Process): string {
  const flags = [
    nice < 0 && "<",
    nice > 0 && "N",
    pid === session && "s",
    threads > 1 && "l",
    foreground && "+",
  ];
  return state + flags.filter(Boolean).join("");
}

/** Device numbers of terminals (Documentation/admin-guide/devices.txt): 136 and up are `pts`, 4 is `tty`. */
function terminalName(device: number): string {
  const major = (device >> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00);
  if (major >= 136 && major <= 143) return `pts/${(major - 136) * 256 + minor}`;
  return major === 4 ? `tty${minor}` : "?";
}

const two = (n: number): string => String(n).padStart(2, "0");

function longTime(ticks: number): string {
  const seconds = Math.floor(ticks / HZ);
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

function startText(started: Date): string {
  if (Date.now() - started.getTime() < 24 * 3_600_000)
    return `${two(started.getHours())}:${two(started.getMinutes())}`;
  return started.toDateString().slice(4, 7) + two(started.getDate());
}

const bootTime = (): number =>
  Number(/^btime (\d+)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1] ?? 0) * 1000;
const memoryTotal = (): number =>
  Number(/^MemTotal:\s+(\d+)/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1] ?? 1);

/** The host's name for a user, as `ps` on the host would say it. */
function userName(uid: number): string {
  if (uid === 0) return "root";
  for (const line of readFileSync("/etc/passwd", "utf8").split("\n")) {
    const [name, , id] = line.split(":");
    if (id === String(uid)) return name!;
  }
  return String(uid);
}

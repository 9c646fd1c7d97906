import { readFileSync } from "node:fs";
import { HZ, type Process } from "./process.ts";

/** One column of `ps`: its title and what it shows. */
export interface Column {
  readonly title: string;
  /** @param memory the machine's, in KiB */
  readonly value: (process: Process, memory: number) => string;
}

const PAGE_KIB = 4;
const share = ({ ticks, started }: Process): number => {
  const seconds = Math.max(1, (Date.now() - started.getTime()) / 1000);
  return (ticks / HZ / seconds) * 100;
};
const age = ({ started }: Process): number =>
  Math.max(0, Math.floor((Date.now() - started.getTime()) / 1000));
const column = (title: string, value: Column["value"]): Column => ({ title, value });

const UID = column("UID", (p) => String(p.uid));
const USER = column("USER", (p) => idName("/etc/passwd", p.uid));
const GROUP = column("GROUP", (p) => idName("/etc/group", p.gid));
const CPU = column("%CPU", (p) => share(p).toFixed(1));
const MEM = column("%MEM", (p, memory) => ((p.resident / memory) * 100).toFixed(1));
const RSS = column("RSS", (p) => String(p.resident));
const VSZ = column("VSZ", (p) => String(p.virtual));
const COMM = column("COMMAND", (p) => p.name);
const ARGS = column("COMMAND", (p) => p.command);
const TIME = column("TIME", (p) => longTime(p.ticks));
const S = column("S", (p) => p.state);
const SID = column("SID", (p) => String(p.session));
const PGID = column("PGID", (p) => String(p.group));
const THREADS = (p: Process): string => String(p.threads);
const titled = (title: string, { value }: Column): Column => ({ title, value });

/** What `ps -o` can be asked for, by the words of ps(1). */
export const COLUMNS: Readonly<Record<string, Column>> = {
  "%cpu": CPU,
  "%mem": MEM,
  args: ARGS,
  bsdtime: column("TIME", (p) => shortTime(p.ticks)),
  c: column("C", (p) => String(Math.floor(share(p)))),
  cgroup: column("CGROUP", (p) => cgroupsOf(p.pid)),
  cmd: titled("CMD", ARGS),
  comm: COMM,
  command: ARGS,
  cputime: TIME,
  egid: titled(
    "EGID",
    column("", (p) => String(p.gid)),
  ),
  egroup: titled("EGROUP", GROUP),
  etime: column("ELAPSED", (p) => span(age(p))),
  etimes: column("ELAPSED", (p) => String(age(p))),
  euid: titled("EUID", UID),
  euser: titled("EUSER", USER),
  f: column("F", (p) => flags(p)),
  gid: column("GID", (p) => String(p.gid)),
  group: GROUP,
  lstart: column("STARTED", (p) => wholeTime(p.started)),
  ni: column("NI", (p) => String(p.nice)),
  nice: column("NI", (p) => String(p.nice)),
  nlwp: column("NLWP", THREADS),
  pcpu: CPU,
  pgid: PGID,
  pgrp: titled("PGRP", PGID),
  pid: column("PID", (p) => String(p.pid)),
  pmem: MEM,
  ppid: column("PPID", (p) => String(p.ppid)),
  pri: column("PRI", (p) => String(39 - p.priority)),
  psr: column("PSR", (p) => String(p.processor)),
  rgid: titled(
    "RGID",
    column("", (p) => String(p.gid)),
  ),
  rgroup: titled("RGROUP", GROUP),
  rss: RSS,
  rssize: RSS,
  rsz: titled("RSZ", RSS),
  ruid: titled("RUID", UID),
  ruser: titled("RUSER", USER),
  s: S,
  sess: titled("SESS", SID),
  sid: SID,
  start: column("STARTED", (p) => secondsText(p.started)),
  start_time: column("START", (p) => startText(p.started)),
  stat: column("STAT", (p) => statText(p)),
  state: S,
  stime: column("STIME", (p) => startText(p.started)),
  sz: column("SZ", (p) => String(Math.floor(p.virtual / PAGE_KIB))),
  thcount: column("THCNT", THREADS),
  time: TIME,
  tname: column("TTY", (p) => p.terminal),
  tt: column("TT", (p) => p.terminal),
  tty: column("TT", (p) => p.terminal),
  ucmd: titled("CMD", COMM),
  ucomm: COMM,
  uid: UID,
  uname: USER,
  user: USER,
  vsize: VSZ,
  vsz: VSZ,
  wchan: column("WCHAN", (p) => waitsIn(p.pid)),
};

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

/** Forked without an `execve` since, and superuser's powers used: all that ps(1) shows of the flags. */
const flags = (p: Process): string => String((p.flags >> 6) & 7);

/** The kernel function it sleeps in, without what all such names begin with. */
function waitsIn(pid: number): string {
  try {
    const name = readFileSync(`/proc/${pid}/wchan`, "utf8").trim();
    return name === "0" || name === "" ? "-" : name.replace(/^(sys_|do_|_+)/, "").slice(0, 6);
  } catch {
    return "-";
  }
}

/** Its cgroups but for the roots of their trees, as `/proc` has them. */
function cgroupsOf(pid: number): string {
  try {
    const lines = readFileSync(`/proc/${pid}/cgroup`, "utf8").trim().split("\n");
    return lines.filter((line) => !line.endsWith(":/")).join(",") || "-";
  } catch {
    return "-";
  }
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

const clock = (at: Date): string => `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;

const secondsText = (started: Date): string =>
  Date.now() - started.getTime() < 24 * 3_600_000 ? clock(started) : startText(started);

const wholeTime = (at: Date): string => `${at.toDateString().slice(0, 10)} ${clock(at)} ${at.getFullYear()}`;

const shortTime = (ticks: number): string => {
  const seconds = Math.floor(ticks / HZ);
  return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`;
};

/** `[[days-]hours:]minutes:seconds`. */
function span(seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor(seconds / 3600) % 24;
  const rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return days > 0 ? `${days}-${two(hours)}:${rest}` : hours > 0 ? `${two(hours)}:${rest}` : rest;
}

/** The host's name for a user or group, as `ps` on the host would say it. */
function idName(file: string, id: number): string {
  if (id === 0) return "root";
  for (const line of readFileSync(file, "utf8").split("\n")) {
    const [name, , number] = line.split(":");
    if (number === String(id)) return name!;
  }
  return String(id);
}

import {
  absolutePath,
  flag,
  int32,
  list,
  name,
  object,
  oneOf,
  type Reader,
  text,
  uint16,
  uint32,
  uint64,
  whole,
  wrong,
} from "./read.ts";
import type { Capabilities, IoPriority, Process, Rlimit, Scheduler, User } from "./spec.ts";

/** `process` of a runtime configuration (config.md, "Process"), or what `exec` is given. */

const user = object<User>({
  uid: uint32,
  gid: uint32,
  umask: whole(0, 0o7777, "permission bits"),
  additionalGids: list(uint32),
});

/** The spec requires both numbers; writers that leave out zeros mean zero. */
const userWithRoot: Reader<User> = (value, at, warnings) => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return user(value, at, warnings);
  const { username, ...given } = value as { readonly username?: string };
  if (username) warnings.push(`${at}.username: names of users are for Windows; uid and gid count`);
  return { ...{ uid: 0, gid: 0 }, ...user(given, at, warnings) };
};

const capabilities = object<Capabilities>({
  bounding: list(name),
  effective: list(name),
  inheritable: list(name),
  permitted: list(name),
  ambient: list(name),
});

const rlimit: Reader<Rlimit> = object<Rlimit>(
  { type: name, soft: uint64, hard: uint64 },
  "type",
  "soft",
  "hard",
);

const ioPriority = object<IoPriority>(
  {
    class: oneOf("IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE"),
    priority: whole(0, 7, "a level, 0 being the highest"),
  },
  "class",
);

const scheduler = object<Scheduler>(
  {
    policy: oneOf(
      "SCHED_OTHER",
      "SCHED_FIFO",
      "SCHED_RR",
      "SCHED_BATCH",
      "SCHED_ISO",
      "SCHED_IDLE",
      "SCHED_DEADLINE",
    ),
    nice: whole(-20, 19, "a nice value"),
    priority: int32,
    flags: list(name),
    runtime: uint64,
    deadline: uint64,
    period: uint64,
  },
  "policy",
);

/** As `taskset -c` takes them; the spec's schema allows digits, commas, dashes and blanks. */
const cpuList: Reader<string> = (value, at, warnings) => {
  const cpus = text(value, at, warnings);
  if (!/^[0-9, -]*$/.test(cpus)) throw wrong(at, `it must be a list of processors like 0-3,7, not ${cpus}`);
  return cpus;
};

const argument = text;

const process: Reader<Process> = object<Process>(
  {
    terminal: flag,
    consoleSize: object({ height: uint16, width: uint16 }, "height", "width"),
    user: userWithRoot,
    args: list(argument),
    env: list(argument),
    cwd: absolutePath,
    capabilities,
    rlimits: list(rlimit),
    noNewPrivileges: flag,
    apparmorProfile: text,
    oomScoreAdj: whole(-1000, 1000, "a score"),
    selinuxLabel: text,
    ioPriority,
    scheduler,
    execCPUAffinity: object({ initial: cpuList, final: cpuList }),
  },
  "cwd",
);

/** Without a user it is root's, as writers that leave out zeros have it. */
export const readProcess: Reader<Process> = (value, at, warnings) => ({
  ...{ user: { uid: 0, gid: 0 } },
  ...process(value, at, warnings),
});

import { readFileSync } from "node:fs";
import type { Linux } from "../../oci/runtime/linux.ts";
import type { IoPriority, Mount, Process, Scheduler } from "../../oci/runtime/spec.ts";
import { call, close, from, mem, num, space, struct, u32, u64 } from "../../plan/build.ts";
import type { Data, Reason, Slot, Step } from "../../plan/step.ts";
import { open } from "./files.ts";
import type { Because } from "./reasons.ts";

/** What the kernel keeps of a process beside its identity: how it is scheduled, where its memory is, its labels. */

/** linux/sched.h */
const POLICY: Record<Scheduler["policy"], number> = {
  SCHED_OTHER: 0,
  SCHED_FIFO: 1,
  SCHED_RR: 2,
  SCHED_BATCH: 3,
  SCHED_ISO: 4,
  SCHED_IDLE: 5,
  SCHED_DEADLINE: 6,
};
const SCHED_FLAG: Readonly<Record<string, number>> = {
  SCHED_FLAG_RESET_ON_FORK: 0x01,
  SCHED_FLAG_RECLAIM: 0x02,
  SCHED_FLAG_DL_OVERRUN: 0x04,
  SCHED_FLAG_KEEP_POLICY: 0x08,
  SCHED_FLAG_KEEP_PARAMS: 0x10,
  SCHED_FLAG_UTIL_CLAMP_MIN: 0x20,
  SCHED_FLAG_UTIL_CLAMP_MAX: 0x40,
};

/** linux/ioprio.h: the class is in the bits above the thirteenth. */
const IO_CLASS: Record<IoPriority["class"], number> = {
  IOPRIO_CLASS_RT: 1,
  IOPRIO_CLASS_BE: 2,
  IOPRIO_CLASS_IDLE: 3,
};
const IOPRIO_WHO_PROCESS = 1;

/** linux/personality.h */
const PERSONALITY = { LINUX: 0, LINUX32: 8 } as const;

/** linux/mempolicy.h */
const MPOL: Readonly<Record<string, number>> = {
  MPOL_DEFAULT: 0,
  MPOL_PREFERRED: 1,
  MPOL_BIND: 2,
  MPOL_INTERLEAVE: 3,
  MPOL_LOCAL: 4,
  MPOL_PREFERRED_MANY: 5,
  MPOL_WEIGHTED_INTERLEAVE: 6,
};
const MPOL_F: Readonly<Record<string, number>> = {
  MPOL_F_STATIC_NODES: 1 << 15,
  MPOL_F_RELATIVE_NODES: 1 << 14,
  MPOL_F_NUMA_BALANCING: 1 << 13,
};

export const MEMORY_POLICIES: readonly string[] = Object.keys(MPOL);
export const MEMORY_POLICY_FLAGS: readonly string[] = Object.keys(MPOL_F);

/** A value of a table by the name that a configuration gives; throws for another name. */
function known(table: Readonly<Record<string, number>>, name: string, field: string): number {
  const value = table[name];
  if (value === undefined)
    throw new Error(
      `Cannot launch: ${field}: there is no ${name.slice(0, 60)}, only ${Object.keys(table).join(", ")}`,
    );
  return value;
}

/** A list of numbers like `0-3,7` as a mask of bits; `most` bounds it. */
export function maskOf(text: string, field: string, most = 8191): Uint8Array {
  const ranges = text
    .replaceAll(" ", "")
    .split(",")
    .filter((range) => range !== "")
    .map((range) => {
      const [, first, last = first] = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(range) ?? [];
      if (first === undefined || Number(last) < Number(first) || Number(last) > most)
        throw new Error(`Cannot launch: ${field}: ${text.slice(0, 60)} is no list of numbers like 0-3,7`);
      return [Number(first), Number(last)] as const;
    });
  const highest = Math.max(0, ...ranges.map(([, last]) => last));
  const mask = new Uint8Array((Math.floor(highest / 64) + 1) * 8);
  for (const [first, last] of ranges)
    for (let bit = first; bit <= last; bit++) mask[bit >> 3] = (mask[bit >> 3] ?? 0) | (1 << (bit & 7));
  return mask;
}

/** While all capabilities are there: scheduling, memory, the kind of machine that it takes this for. */
export function processAttributes(process: Process, linux: Linux, because: Because): Step[] {
  const { ioPriority, scheduler } = process;
  const { memoryPolicy, personality } = linux;
  return [
    ...(scheduler === undefined ? [] : [schedule(scheduler, because)]),
    ...(ioPriority === undefined ? [] : [prioritise(ioPriority, because)]),
    ...(memoryPolicy === undefined ? [] : [placeMemory(memoryPolicy, because)]),
    ...(personality === undefined
      ? []
      : [
          call(
            "personality",
            [num(PERSONALITY[personality.domain], `PER_${personality.domain}`)],
            because("linux.personality", "take the machine for another"),
          ),
        ]),
  ];
}

/** sched_setattr(2) with `struct sched_attr`, the clamps of utilisation with it. */
function schedule(scheduler: Scheduler, because: Because): Step {
  const { deadline = 0, flags = [], nice = 0, period = 0, policy, priority = 0, runtime = 0 } = scheduler;
  const bits = flags.reduce((sum, name) => sum | known(SCHED_FLAG, name, "process.scheduler.flags"), 0);
  const attributes = struct([
    u32(56, POLICY[policy]),
    u64(bits),
    u32(nice, priority),
    u64(runtime, deadline, period),
    u32(0, 0),
  ]);
  const hint =
    policy === "SCHED_DEADLINE"
      ? "it needs CAP_SYS_NICE and every processor: this process scheduler can't be used together with AllowedCPUs"
      : "real-time policies need CAP_SYS_NICE and real-time to give in the cgroup; this kernel may not have the policy";
  return call(
    "sched_setattr",
    [num(0), mem(attributes, policy), num(0)],
    because("process.scheduler", `schedule it by ${policy}`, hint),
  );
}

function prioritise({ class: name, priority = 0 }: IoPriority, because: Because): Step {
  const value = (IO_CLASS[name] << 13) | (name === "IOPRIO_CLASS_IDLE" ? 0 : priority);
  return call(
    "ioprio_set",
    [num(IOPRIO_WHO_PROCESS, "IOPRIO_WHO_PROCESS"), num(0), num(value, `${name}, ${priority}`)],
    because("process.ioPriority", "give it its turn at the disks", "real-time I/O needs CAP_SYS_NICE"),
  );
}

function placeMemory(policy: NonNullable<Linux["memoryPolicy"]>, because: Because): Step {
  const { flags = [], mode, nodes = "" } = policy;
  const bits = flags.reduce(
    (sum, name) => sum | known(MPOL_F, name, "linux.memoryPolicy.flags: invalid memory policy flag"),
    known(MPOL, mode, "linux.memoryPolicy.mode: invalid memory policy mode"),
  );
  const mask = maskOf(nodes, "linux.memoryPolicy.nodes: invalid memory policy nodes", 1023);
  const hint = "the kernel needs CONFIG_NUMA, and the nodes must be among those that the cgroup may use";
  return call(
    "set_mempolicy",
    [
      num(bits, [mode, ...flags].join("|")),
      nodes === "" ? num(0) : mem({ kind: "bytes", bytes: mask }, nodes),
      // The kernel looks at one bit less than it is told.
      num(nodes === "" ? 0 : mask.length * 8 + 1),
    ],
    because("linux.memoryPolicy", "choose the memory nodes it uses", hint),
  );
}

const OLD_AFFINITY: Data = space(1024, "old-affinity");

/** exec only: in the keeper, before the clone, so that the child begins on these processors … */
export function beginOn(affinity: Process["execCPUAffinity"], because: Because): Step[] {
  if (!affinity?.initial) return [];
  const reason = because("process.execCPUAffinity.initial", "begin on the processors asked for");
  return [
    call("sched_getaffinity", [num(0), num(1024), mem(OLD_AFFINITY)], reason, { result: "affinity-size" }),
    setAffinity(affinity.initial, "process.execCPUAffinity.initial", because),
  ];
}

/** … after it, the keeper goes back … */
export function endBegin(affinity: Process["execCPUAffinity"]): Step[] {
  if (!affinity?.initial) return [];
  return [
    call(
      "sched_setaffinity",
      [num(0), from("affinity-size"), mem(OLD_AFFINITY)],
      "go back to the processors of before",
    ),
  ];
}

/** … and in the child, once in its cgroup, it goes where it is to stay: all that the cgroup may use if nothing is said. */
export function stayOn(affinity: Process["execCPUAffinity"], because: Because): Step[] {
  if (!affinity?.initial && !affinity?.final) return [];
  const field = "process.execCPUAffinity.final";
  if (affinity.final) return [setAffinity(affinity.final, field, because)];
  return [setAll(because(field, "go on with all processors of its cgroup"))];
}

/**
 * In the child of whoever called, once in its cgroup: the processors that the caller was bound to are not for it (as
 * with runc 1.3). Since Linux 6.2 a cgroup no longer changes what somebody has asked for.
 */
export function anyProcessor(affinity?: Process["execCPUAffinity"]): Step[] {
  if (affinity !== undefined) return [];
  return [setAll({ why: "use every processor of its cgroup" })];
}

function setAll(reason: Reason): Step {
  const all = new Uint8Array(1024).fill(0xff);
  return call(
    "sched_setaffinity",
    [num(0), num(all.length), mem({ kind: "bytes", bytes: all }, "all")],
    reason,
  );
}

function setAffinity(text: string, field: string, because: Because): Step {
  const mask = maskOf(text, field);
  return call(
    "sched_setaffinity",
    [num(0), num(mask.length), mem({ kind: "bytes", bytes: mask }, text)],
    because(field, `use the processors ${text}`, "the cgroup may use none of them"),
  );
}

/** Which security modules label processes on this machine. */
export interface Labels {
  readonly apparmor: boolean;
  readonly selinux: boolean;
}

let labels: Labels | undefined;

/** Asked once: a module does not come or go while the kernel runs. */
export function readLabels(): Labels {
  labels ??= {
    apparmor: text("/sys/module/apparmor/parameters/enabled").startsWith("Y"),
    selinux: text("/sys/fs/selinux/enforce") !== "",
  };
  return labels;
}

function text(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

const LABEL: Slot = "label";

/** While the host's `/proc` is there: the file that takes the label of the next program (only its own process may write). */
export function openLabel(process: Process, has: Labels, because: Because): Step[] {
  const { apparmorProfile = "", selinuxLabel = "" } = process;
  if (selinuxLabel !== "" && has.selinux)
    return [
      open("/proc/self/attr/exec", LABEL, because("process.selinuxLabel", "label it for SELinux"), [
        "WRONLY",
      ]),
    ];
  if (apparmorProfile === "" || !has.apparmor) return [];
  const reason = because("process.apparmorProfile", "confine it by AppArmor");
  return [open("/proc/self/attr/apparmor/exec", LABEL, reason, ["WRONLY"])];
}

/** The last thing before `execve`. */
export function writeLabel(process: Process, has: Labels, because: Because): Step[] {
  const { apparmorProfile = "", selinuxLabel = "" } = process;
  const selinux = selinuxLabel !== "" && has.selinux;
  if (!selinux && (apparmorProfile === "" || !has.apparmor)) return [];
  const reason = selinux
    ? because("process.selinuxLabel", "label it for SELinux", "the policy has no such label")
    : because(
        "process.apparmorProfile",
        "confine it by AppArmor",
        `load the profile ${apparmorProfile} first`,
      );
  const value = selinux ? selinuxLabel : `exec ${apparmorProfile}`;
  return [
    call(
      "write",
      [from(LABEL), mem({ kind: "text", text: value }), num(new TextEncoder().encode(value).length)],
      reason,
    ),
    close(LABEL, "close it"),
  ];
}

/** File systems whose labels are not the mount's to say (runc's list). */
const UNLABELLED = new Set(["proc", "sysfs", "mqueue", "cgroup", "cgroup2"]);

/** A mount of a file system whose files all have `linux.mountLabel`; binds show the labels that there are. */
export function labelled(mount: Mount, { mountLabel = "" }: Linux, has: Labels): Mount {
  const { options = [], type = "" } = mount;
  const bind = type === "bind" || type === "" || type === "none";
  if (mountLabel === "" || !has.selinux || bind || UNLABELLED.has(type)) return mount;
  if (options.some((word) => /^(r?bind|remount|context=.*)$/.test(word))) return mount;
  return { ...mount, options: [...options, `context="${mountLabel}"`] };
}

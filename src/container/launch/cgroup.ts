import { readFileSync } from "node:fs";
import { deviceProgramSteps } from "../../cgroup/devices-bpf.ts";
import type { CgroupPlan, Write } from "../../cgroup/plan.ts";
import { CLONE } from "../../kernel/flags.ts";
import { call, close, from, mem, num, str } from "../../plan/build.ts";
import type { Call, Step } from "../../plan/step.ts";
import { awaitWord, tellChild } from "../../plan/sync.ts";
import { HERE, open, writeFile } from "./files.ts";
import type { Because } from "./reasons.ts";

const REAL_TIME = "linux.resources.cpu.realtimeRuntime";
/** sched-rt-group.rst: what a group has is taken from the group above it. */
const REAL_TIME_HINT =
  "the cgroup above has no real-time to give: write its cpu.rt_runtime_us first, or leave the option out";

/** The cgroups of a container, in two parts. */
export interface CgroupSteps {
  /** Before the clone: what the child is born in. */
  readonly before: readonly Step[];
  /**
   * After it: cgroups of version 1, which the child enters itself and waits for. Half a millisecond of work that two
   * processors share with the mounts of the root.
   */
  readonly beside: readonly Step[];
  /** What takes `beside` back when the child is gone. */
  readonly undo: readonly Call[];
}

/** Files of a cgroup that go with it to whom it is delegated, where the kernel does not say (cgroup-v2.rst). */
const DELEGATED = ["cgroup.procs", "cgroup.subtree_control", "cgroup.threads"];
let delegated: readonly string[] | undefined;

function delegatedFiles(): readonly string[] {
  try {
    delegated ??= readFileSync("/sys/kernel/cgroup/delegate", "utf8").split("\n").filter(Boolean);
  } catch {
    delegated ??= DELEGATED;
  }
  return delegated;
}

/**
 * Give the container's cgroup to its user, so that it can make others in it, as systemd and engines in a container do.
 * What limits it stays root's. As the runtime specification says ("Cgroup ownership"): on cgroup v2 alone, in a cgroup
 * namespace of its own, mounted to be written to.
 * @param owner a user of the host; undefined where it is not known
 */
export function delegateCgroup(plan: CgroupPlan, owner: number | undefined): Step[] {
  const { attach, unified } = plan;
  if (unified === undefined || attach.length > 0 || owner === undefined || owner === 0) return [];
  const why = "let the container make cgroups in its own";
  const give = (path: string) =>
    call("fchownat", [HERE, str(path), num(owner), num(-1), num(0)], why, { tolerate: ["ENOENT"] });
  return [give(unified), ...delegatedFiles().map((file) => give(`${unified}/${file}`))];
}

/**
 * Make the container's cgroups and write its limits, from outside, before there is a process in them.
 * @param beside whether some of it may be done while the child is at work: it must not hear anything else before
 */
export function makeCgroups(plan: CgroupPlan, because: Because, beside: boolean): CgroupSteps {
  const { attach, devices, directories, oom, unified, writes } = plan;
  const isLater = (path: string) =>
    beside && attach.length > 0 && (unified === undefined || !`${path}/`.startsWith(`${unified}/`));
  const later = directories.filter(isLater);
  const steps = (isPart: (path: string) => boolean, make: (directory: string) => Step): Step[] => [
    ...directories.filter(isPart).map(make),
    ...byFile(writes.filter(({ file }) => isPart(file))).flatMap((each) => writeLimits(each, because)),
    ...(oom === undefined || !isPart(oom)
      ? []
      : [open(oom, "oom", { why: "count out-of-memory kills" }, ["RDONLY"], { tolerate: ["ENOENT"] })]),
  ];
  const before = [
    ...steps(
      (path) => !isLater(path),
      (path) => makeTree(path, [removeTree(path)]),
    ),
    ...(unified === undefined
      ? []
      : [open(unified, "cgroup", { why: "let the container be born in its cgroup" }, ["RDONLY"])]),
    ...(devices === undefined ? [] : deviceProgramSteps(devices, "cgroup")),
  ];
  if (later.length === 0) return { before, beside: [], undo: [] };
  const go = tellChild("tell the container that its cgroups are there");
  return {
    before,
    beside: [...steps(isLater, (path) => makeTree(path, [])), go],
    undo: later.map(removeTree),
  };
}

const makeTree = (directory: string, undo: readonly Call[]): Call =>
  call("mkdirat", [HERE, str(directory), num(0o755, "0755")], "make a cgroup for the container", {
    tolerate: ["EEXIST"],
    ...(undo.length === 0 ? {} : { undo }),
  });

const removeTree = (directory: string): Call =>
  call("unlinkat", [HERE, str(directory), num(0x200, "AT_REMOVEDIR")], "remove the cgroup", {
    tolerate: ["ENOENT"],
  });

/** Writes that follow each other to one file, together: it is opened once. */
function byFile(writes: readonly Write[]): Write[][] {
  const groups: Write[][] = [];
  for (const write of writes) {
    const group = groups.at(-1);
    if (group?.[0]?.file === write.file) group.push(write);
    else groups.push([write]);
  }
  return groups;
}

function writeLimits(writes: readonly Write[], because: Because): Step[] {
  const [first] = writes;
  if (first === undefined) return [];
  const name = first.file.slice(first.file.lastIndexOf("/") + 1);
  const reasonOf = ({ field, file, value }: Write) =>
    because(
      field,
      `limit the container (${name})`,
      field === REAL_TIME ? REAL_TIME_HINT : `${file} does not take ${value}`,
    );
  const tolerate = first.tolerate ?? [];
  return [
    {
      kind: "attempt",
      tolerate,
      ...reasonOf(first),
      steps: [
        open(first.file, "file", reasonOf(first), ["WRONLY"]),
        ...writes.map((write) =>
          call(
            "write",
            [from("file"), mem({ kind: "text", text: write.value }), num(write.value.length)],
            reasonOf(write),
            {
              tolerate: write.tolerate ?? [],
            },
          ),
        ),
        close("file", "close it"),
      ],
    },
  ];
}

/** In the child: wait until there are cgroups to enter. */
export function awaitCgroups({ beside }: CgroupSteps): Step[] {
  return beside.length === 0 ? [] : [awaitWord("wait until its cgroups are there")];
}

/** In the child: enter the v1 cgroups (v2 it was born in), and see them as the root from now on. */
export function enterCgroups(plan: CgroupPlan, ownNamespace: boolean): Step[] {
  const steps: Step[] = plan.attach.map(({ file, text }) =>
    writeFile(file, text, { why: "enter the cgroup, as the only thread: this takes no global lock" }),
  );
  if (ownNamespace) {
    const why = "see the own cgroup as the root of all";
    steps.push(call("unshare", [num(CLONE.NEWCGROUP, "CLONE_NEWCGROUP")], why));
  }
  return steps;
}

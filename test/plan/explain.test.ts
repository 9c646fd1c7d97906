import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { call, close, from, mem, num, space, str, struct, u64 } from "../../src/plan/build.ts";
import { compile } from "../../src/plan/compile.ts";
import { describeStep } from "../../src/plan/describe.ts";
import { StepError } from "../../src/plan/error.ts";
import { explain, explainJson, explainSteps } from "../../src/plan/explain.ts";
import { runPlan } from "../../src/plan/run.ts";
import type { Plan, Step } from "../../src/plan/step.ts";

const path = space(64, "path");
const steps: readonly Step[] = [
  call("mkdirat", [num(-100, "AT_FDCWD"), str("/sys/fs/cgroup/x"), num(0o755, "0755")], "make a cgroup", {
    tolerate: ["EEXIST"],
    undo: [
      call(
        "unlinkat",
        [num(-100, "AT_FDCWD"), str("/sys/fs/cgroup/x"), num(0x200, "AT_REMOVEDIR")],
        "remove it",
      ),
    ],
  }),
  {
    kind: "attempt",
    tolerate: ["ENOENT"],
    why: "limit",
    steps: [
      call(
        "openat",
        [num(-100, "AT_FDCWD"), str("/limit"), num(1, "O_WRONLY")],
        { why: "limit", option: "--memory 48m" },
        { result: "file" },
      ),
      call("write", [from("file"), str("1\n"), num(2)], { why: "limit", option: "--memory 48m" }),
      close("file", "close it"),
    ],
  },
  {
    kind: "clone",
    why: "make a process",
    flags: 0x20000n,
    flagsText: "CLONE_NEWNS",
    pid: "child",
    child: [
      call(
        "mount",
        [mem(struct([u64(1, 2), { pointer: { kind: "bytes", bytes: new Uint8Array(40) } }]))],
        "look at memory",
      ),
      { kind: "exec", candidates: ["/bin/true"], argv: ["true"], env: ["A=1"], why: "run true" },
    ],
  },
  { kind: "decimal", slot: "child", into: path, prefix: "/proc/", suffix: "/x", why: "name it" },
  call("setsid", [], "be alone"),
];
const plan: Plan = { steps };

test("each call has the number and the text that traces and errors have", () => {
  const program = compile(plan);
  const explained = explainSteps(plan);
  assert.deepEqual(
    explained.map(({ index, side, text }) => [index, side, text]),
    program.steps.map(({ side, step }, index) => [index, side, describeStep(step)]),
  );
});

test("the words stand under their reasons, by who makes the calls", () => {
  assert.equal(
    explain(plan),
    `The keeper, in the host's namespaces as root:

  make a cgroup
    0  mkdirat(AT_FDCWD, "/sys/fs/cgroup/x", 0755)  (EEXIST: go on)

  limit  [--memory 48m]
    1  openat(AT_FDCWD, "/limit", O_WRONLY) = <file>  (ENOENT: go on)
    2  write(<file>, "1\\n", 2)
    3  close(<file>)

  make a process
    4  clone3(CLONE_NEWNS) = <child>

The container's first process, in its namespaces:

  look at memory
    5  mount({24 bytes, &40 bytes})

  run true
    6  execve("/bin/true", ["true"], 1 variables)

The keeper again:

  be alone
    7  setsid()
`,
  );
});

test("the JSON has the documented shape", () => {
  const parsed = JSON.parse(explainJson(plan)) as { steps: Record<string, unknown>[] };
  assert.deepEqual(parsed.steps[0], {
    index: 0,
    side: "keeper",
    call: "mkdirat",
    text: 'mkdirat(AT_FDCWD, "/sys/fs/cgroup/x", 0755)',
    why: "make a cgroup",
    tolerates: ["EEXIST"],
    undo: ['unlinkat(AT_FDCWD, "/sys/fs/cgroup/x", AT_REMOVEDIR)'],
  });
  assert.equal(parsed.steps[1]?.option, "--memory 48m");
  assert.deepEqual(parsed.steps[1]?.tolerates, ["ENOENT"]);
  assert.equal(parsed.steps[5]?.side, "container");
});

/** What a person reads when `step` fails with the error of that number. */
function message(step: Step, errno: number): string {
  return new StepError(0, { step, side: "container" } as ConstructorParameters<typeof StepError>[1], errno)
    .message;
}

const AT = num(-100, "AT_FDCWD");
const clone: Step = { kind: "clone", why: "make a process", flags: 0n, flagsText: "0", pid: "p", child: [] };
const mount = call("mount", [str("overlay"), str("/r"), str("overlay"), num(0), num(0)], "mount the root");
const limit = call("openat", [AT, str("/sys/fs/cgroup/memory/x/memory.max"), num(1)], "limit the container");
const exec: Step = { kind: "exec", candidates: ["/x"], argv: ["x"], env: [], why: "run x" };

for (const [name, step, errno, hint] of [
  ["no overlay in the kernel", mount, 19, /modprobe overlay|vfs/],
  ["overlays stacked too deep", mount, 40, /stacked only twice.*--root/],
  ["mounting in a container", mount, 1, /CAP_SYS_ADMIN.*privileged/],
  ["an upper directory that cannot be one", mount, 22, /upper directory cannot be/],
  ["user namespaces turned off", clone, 28, /user\.max_user_namespaces/],
  ["namespaces without the privilege", clone, 1, /as root with CAP_SYS_ADMIN/],
  ["too many processes", clone, 11, /pids\.max/],
  ["processes in an inner cgroup", clone, 16, /no internal processes/],
  ["a read-only cgroup tree", limit, 30, /cgroups are mounted read-only/],
  ["a cgroup of somebody else", limit, 13, /delegate it/],
  ["a controller that is not there", limit, 2, /cgroup\.subtree_control/],
  ["no idmapped mounts", call("mount_setattr", [], "shift owners"), 22, /idmapped mounts \(Linux 5\.12/],
  ["a program of another architecture", exec, 8, /another architecture/],
  ["a missing interpreter", exec, 2, /interpreter/],
  ["a program that may not be executed", exec, 13, /noexec/],
  ["a full disk", call("write", [], "write"), 28, /free some space/],
  ["an old kernel", call("open_tree", [], "open"), 38, /Linux 5\.12/],
  ["a step's own hint wins", call("mount", [], { why: "mount", hint: "do this" }), 1, /; do this$/],
] as const) {
  test(`the error says what to do: ${name}`, () => assert.match(message(step, errno), hint));
}

test("a run directory on a file system mounted noexec is named", async () => {
  const directory = mkdtempSync(join(tmpdir(), "cais-noexec-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "noexec", "tmpfs", directory]);
  try {
    await assert.rejects(runPlan({ steps: [] }, { directory }), (error: Error) =>
      error.message.includes(`EACCES; ${directory} is on a file system mounted noexec`),
    );
  } finally {
    execFileSync("umount", [directory]);
    rmdirSync(directory);
  }
});

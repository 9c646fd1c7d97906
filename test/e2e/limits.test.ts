import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { test } from "node:test";
import type { TestEngine } from "../support/engine.ts";
import { busyboxMissing } from "../support/fixtures.ts";
import { readCgroup } from "../support/process.ts";
import { needs, root } from "../support/skip.ts";
import { suiteEngine } from "../support/suite.ts";

/** What every limit writes into the container's cgroup, at its start and while it runs. */
const can = needs(root(), busyboxMissing());
const MEBIBYTE = 1 << 20;
let engine: TestEngine;

suiteEngine(can, "busybox", (started) => {
  engine = started;
});

/** A file of a controller on each version of cgroups, and what is in it. */
interface File {
  readonly controller: string;
  readonly v1: readonly [file: string, value: string];
  readonly v2: readonly [file: string, value: string];
}
const quota = (v1: string, v2: string): File => ({
  controller: "cpu",
  v1: ["cpu.cfs_quota_us", v1],
  v2: ["cpu.max", v2],
});
const memory = (mebibytes: number): File => ({
  controller: "memory",
  v1: ["memory.limit_in_bytes", String(mebibytes * MEBIBYTE)],
  v2: ["memory.max", String(mebibytes * MEBIBYTE)],
});
const pids = (most: string): File => ({ controller: "pids", v1: ["pids.max", most], v2: ["pids.max", most] });

/** Options of `run`, and then of `update`. */
const limits: readonly (readonly [
  start: readonly string[],
  file: File,
  update: readonly string[],
  then: File,
])[] = [
  [["--cpus", "0.2"], quota("20000", "20000 100000"), ["--cpus", "0.5"], quota("50000", "50000 100000")],
  [
    ["--cpu-period", "50000", "--cpu-quota", "25000"],
    quota("25000", "25000 50000"),
    ["--cpu-quota", "10000"],
    quota("10000", "10000 50000"),
  ],
  [
    ["--cpu-shares", "512"],
    { controller: "cpu", v1: ["cpu.shares", "512"], v2: ["cpu.weight", "59"] },
    ["--cpu-shares", "2048"],
    { controller: "cpu", v1: ["cpu.shares", "2048"], v2: ["cpu.weight", "174"] },
  ],
  [
    ["--cpuset-cpus", "0"],
    { controller: "cpuset", v1: ["cpuset.cpus", "0"], v2: ["cpuset.cpus", "0"] },
    ["--cpuset-cpus", `0-${availableParallelism() - 1}`],
    {
      controller: "cpuset",
      v1: ["cpuset.cpus", range()],
      v2: ["cpuset.cpus", range()],
    },
  ],
  [["--memory", "48m"], memory(48), ["--memory", "64m", "--memory-swap", "64m"], memory(64)],
  [["--pids-limit", "20"], pids("20"), ["--pids-limit", "-1"], pids("max")],
];

function range(): string {
  return availableParallelism() === 1 ? "0" : `0-${availableParallelism() - 1}`;
}

/** Reads the file that this machine has. */
function check(pid: number, { controller, v1, v2 }: File): void {
  const names = { v1: v1[0], v2: v2[0] };
  const found = readCgroup(pid, controller, names);
  assert.ok([v1[1], v2[1]].includes(found), `${controller}: ${found} is neither ${v1[1]} nor ${v2[1]}`);
}

for (const [start, file, update, then] of limits) {
  test(`run ${start.join(" ")}, then update ${update.join(" ")}`, can, async () => {
    await engine.ok([
      "run",
      "-d",
      "--network",
      "none",
      "--name",
      "limited",
      ...start,
      "busybox",
      "sleep",
      "1000",
    ]);
    const pid = Number(await engine.ok(["inspect", "-f", "{{.State.Pid}}", "limited"]));
    check(pid, file);
    await engine.ok(["update", ...update, "limited"]);
    check(pid, then);
    // What was changed is still so after the next start.
    await engine.ok(["restart", "-t", "0", "limited"]);
    check(Number(await engine.ok(["inspect", "-f", "{{.State.Pid}}", "limited"])), then);
    await engine.ok(["rm", "-f", "limited"]);
  });
}

test("one processor of several is what the container sees", can, async () => {
  assert.equal(
    await engine.ok(["run", "--rm", "--network", "none", "--cpuset-cpus", "0", "busybox", "nproc"]),
    "1",
  );
});

test("swap is limited together with memory, where the kernel counts it", can, async () => {
  const options = ["--memory", "48m", "--memory-swap", "96m"];
  const made = await engine.cais([
    "run",
    "-d",
    "--network",
    "none",
    "--name",
    "swapping",
    ...options,
    "busybox",
    "sleep",
    "1000",
  ]);
  assert.equal(made.code, 0, made.stderr);
  const pid = Number(await engine.ok(["inspect", "-f", "{{.State.Pid}}", "swapping"]));
  // Without swap accounting that is said, and the limit of memory holds.
  if (/swap limit/i.test(made.stderr)) check(pid, memory(48));
  else {
    const v1 = ["memory.memsw.limit_in_bytes", String(96 * MEBIBYTE)] as const;
    check(pid, { controller: "memory", v1, v2: ["memory.swap.max", String(48 * MEBIBYTE)] });
  }
  await engine.ok(["rm", "-f", "swapping"]);
});

test("--blkio-weight is written where the kernel has it, and said where it has not", can, async () => {
  const made = await engine.cais([
    "run",
    "--rm",
    "--network",
    "none",
    "--blkio-weight",
    "300",
    "busybox",
    "true",
  ]);
  if (made.code === 0) return;
  assert.equal(made.code, 125);
  assert.match(made.stderr, /blkio|weight/i);
});

test("update refuses what cannot be, and leaves everything as it was", can, async () => {
  await engine.ok([
    "run",
    "-d",
    "--network",
    "none",
    "--name",
    "steady",
    "--memory",
    "48m",
    "busybox",
    "sleep",
    "1000",
  ]);
  const pid = Number(await engine.ok(["inspect", "-f", "{{.State.Pid}}", "steady"]));
  for (const [option, value, words] of [
    ["--memory", "1k", /memory/i],
    ["--cpus", "99999", /CPUs/i],
    ["--cpuset-cpus", "4096", /4096/],
  ] as const) {
    const refused = await engine.cais(["update", option, value, "steady"]);
    assert.equal(refused.code, 1, option);
    assert.match(refused.stderr, words);
  }
  check(pid, memory(48));
  assert.equal(await engine.ok(["inspect", "-f", "{{.HostConfig.Memory}}", "steady"]), String(48 * MEBIBYTE));
  await engine.ok(["rm", "-f", "steady"]);
});

test("stats: a table of what is used, once or live", can, async () => {
  await engine.ok([
    "run",
    "-d",
    "--network",
    "none",
    "--name",
    "used",
    "--memory",
    "48m",
    "busybox",
    "sleep",
    "1000",
  ]);
  const table = await engine.ok(["stats", "--no-stream"]);
  assert.match(table, /^CONTAINER ID +NAME +CPU % +MEM USAGE \/ LIMIT +MEM % +NET I\/O +BLOCK I\/O +PIDS/);
  assert.match(table, /\n[0-9a-f]{12} +used +\d+\.\d\d% +\S+ \/ 48MiB +\d+\.\d\d% /);
  const live = await engine.cais(["stats", "--format", "{{.Name}} {{.PIDs}}", "used"], {
    started: (child) => child.stdout?.on("data", (chunk) => String(chunk).includes("used 1") && child.kill()),
  });
  assert.match(live.stdout, /used 1/);
  await engine.ok(["rm", "-f", "used"]);
});

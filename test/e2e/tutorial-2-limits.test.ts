import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pass } from "node:timers/promises";
import type { TestEngine } from "../support/engine.ts";
import { busyboxMissing } from "../support/fixtures.ts";
import {
  LIST_NAMESPACES,
  namespacesOf,
  parseNamespaces,
  pidsOf,
  processorSeconds,
  readCgroup,
  statusOf,
} from "../support/process.ts";
import { needs, root } from "../support/skip.ts";
import { suiteEngine } from "../support/suite.ts";

/**
 * "Namespaces, chroot and cgroups by hand": `unshare` with a user mapped to root, the three mounts, a fifth of
 * a processor, 48 MB of memory.
 */
const can = needs(root(), busyboxMissing());
/** Ids 100000 to 165535 of the machine are 0 to 65535 inside. */
const FIRST = 100_000;
const USERNS = `--userns=uid=0:${FIRST}:65536`;
let engine: TestEngine;

suiteEngine(can, "busybox", (started) => {
  engine = started;
});

const start = async (name: string, ...options: readonly string[]): Promise<number> => {
  await engine.ok(["run", "-d", "--network", "none", "--name", name, ...options]);
  return Number(await engine.ok(["inspect", "-f", "{{.State.Pid}}", name]));
};

test("all namespaces, with the user mapped to root", can, async () => {
  const pid = await start("mapped", USERNS, "busybox", "sleep", "1000");
  const inside = parseNamespaces(await engine.ok(["exec", "mapped", ...LIST_NAMESPACES]));
  const machine = namespacesOf("self");
  assert.deepEqual(inside, namespacesOf(pid));
  for (const kind of ["ipc", "mnt", "net", "pid", "user", "uts"]) {
    assert.notEqual(inside[kind], machine[kind], kind);
  }
  assert.equal(await engine.ok(["exec", "mapped", "id", "-u"]), "0");
  const map = (await engine.ok(["exec", "mapped", "cat", "/proc/self/uid_map", "/proc/self/gid_map"])).trim();
  assert.deepEqual(
    map.split("\n").map((line) => line.trim().split(/\s+/).map(Number)),
    [
      [0, FIRST, 65_536],
      [0, FIRST, 65_536],
    ],
  );
  // Outside it is nobody in particular; root inside owns what root owns in the image.
  assert.equal(statusOf(pid, "Uid").split("\t")[0], String(FIRST));
  assert.equal(await engine.ok(["exec", "mapped", "stat", "-c", "%u:%g", "/bin/busybox"]), "0:0");
  assert.equal((await engine.cais(["exec", "mapped", "touch", "/new"])).code, 0);
  assert.deepEqual(pidsOf(pid), [pid, 1]);
  await engine.ok(["rm", "-f", "mapped"]);
});

test("/proc, /sys and /tmp are mounted", can, async () => {
  const args = [
    "run",
    "--rm",
    "--network",
    "none",
    USERNS,
    "--tmpfs",
    "/tmp",
    "busybox",
    "cat",
    "/proc/mounts",
  ];
  const mounts = (await engine.ok(args)).split("\n").map((line) => line.split(" "));
  const typeAt = (point: string) => mounts.findLast((fields) => fields[1] === point)?.[2];
  assert.equal(typeAt("/proc"), "proc");
  assert.equal(typeAt("/sys"), "sysfs");
  assert.equal(typeAt("/tmp"), "tmpfs");
  assert.equal(typeAt("/"), "overlay");
});

test("--cpus 0.2 writes quota 20000 of period 100000, and dd gets a fifth of a processor", can, async () => {
  const pid = await start("fifth", "--cpus", "0.2", "busybox", "dd", "if=/dev/zero", "of=/dev/null");
  const read = (v1: string): string => {
    const all = readCgroup(pid, "cpu", { v1, v2: "cpu.max" }).split(" ");
    return all.length === 1 ? (all[0] ?? "") : ((v1.endsWith("quota_us") ? all[0] : all[1]) ?? "");
  };
  assert.equal(read("cpu.cfs_quota_us"), "20000");
  assert.equal(read("cpu.cfs_period_us"), "100000");

  const seconds = 6;
  const from = processorSeconds(pid);
  const began = performance.now();
  // The measurement is of time that passes.
  await pass(seconds * 1000);
  const share = (processorSeconds(pid) - from) / ((performance.now() - began) / 1000);
  assert.ok(share >= 0.17 && share <= 0.23, `dd got ${(share * 100).toFixed(1)} % of a processor`);

  // `update` changes it while it runs.
  await engine.ok(["update", "--cpus", "0.5", "fifth"]);
  assert.equal(read("cpu.cfs_quota_us"), "50000");
  await engine.ok(["rm", "-f", "fifth"]);
});

test("--memory 48m: less fits, more is killed for it and reported as that", can, async () => {
  const pid = await start("small", "--memory", "48m", "busybox", "sleep", "1000");
  const limit = readCgroup(pid, "memory", { v1: "memory.limit_in_bytes", v2: "memory.max" });
  assert.equal(Number(limit), 48 * 1024 * 1024);
  await engine.ok(["rm", "-f", "small"]);

  const allocate = (mebibytes: number) => [
    "dd",
    "if=/dev/zero",
    "of=/dev/null",
    `bs=${mebibytes}M`,
    "count=1",
  ];
  await engine.ok(["run", "--rm", "--network", "none", "--memory", "48m", "busybox", ...allocate(20)]);

  const args = [
    "run",
    "--network",
    "none",
    "--name",
    "greedy",
    "--memory",
    "48m",
    "busybox",
    ...allocate(200),
  ];
  const since = String(Math.floor(Date.now() / 1000) - 1);
  const killed = await engine.cais(args);
  assert.equal(killed.code, 137);
  assert.equal(
    await engine.ok([
      "inspect",
      "-f",
      "{{.State.OOMKilled}} {{.State.ExitCode}} {{.State.Status}}",
      "greedy",
    ]),
    "true 137 exited",
  );
  const until = String(Math.ceil(Date.now() / 1000) + 1);
  const events = await engine.ok([
    "events",
    "--since",
    since,
    "--until",
    until,
    "--filter",
    "container=greedy",
  ]);
  assert.match(events, /container oom /);
  await engine.ok(["rm", "greedy"]);
});

test("stats shows what is used of what is allowed", can, async () => {
  await start("counted", "--memory", "48m", "--pids-limit", "50", "busybox", "sleep", "1000");
  const line = ["stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}} {{.PIDs}}", "counted"];
  assert.match(await engine.ok(line), /^counted \S+(KiB|MiB|B) \/ 48MiB 1$/);
  await engine.ok(["rm", "-f", "counted"]);
});

import assert from "node:assert/strict";
import { hostname } from "node:os";
import { test } from "node:test";
import type { TestEngine } from "../support/engine.ts";
import { busyboxMissing } from "../support/fixtures.ts";
import { LIST_NAMESPACES, namespacesOf, parseNamespaces, readCgroup } from "../support/process.ts";
import { needs, root } from "../support/skip.ts";
import { suiteEngine } from "../support/suite.ts";

/**
 * "A container in 100 lines": a program that runs itself again in new namespaces and pivots into a root, and
 * then what the article left out: network, user, capabilities, limits, cgroups.
 */
const can = needs(root(), busyboxMissing());
const NONE = ["--network", "none"] as const;
let engine: TestEngine;

suiteEngine(can, "busybox", (started) => {
  engine = started;
});

const run = (...args: readonly string[]): Promise<string> => engine.ok(["run", "--rm", ...NONE, ...args]);

test("run: new uts, pid and mount namespaces; a root of its own; the exit code", can, async () => {
  const inside = parseNamespaces(await run("busybox", ...LIST_NAMESPACES));
  const machine = namespacesOf("self");
  for (const kind of ["uts", "pid", "mnt"]) assert.notEqual(inside[kind], machine[kind], kind);

  assert.equal(await run("--hostname", "inside", "busybox", "hostname"), "inside");
  assert.notEqual(hostname(), "inside");
  assert.equal(await run("busybox", "sh", "-c", "echo $$"), "1");
  assert.equal((await engine.cais(["run", "--rm", ...NONE, "busybox", "sh", "-c", "exit 42"])).code, 42);
});

test("pivot_root: nothing of the machine's tree is left", can, async () => {
  const mounts = (await run("busybox", "cat", "/proc/self/mountinfo"))
    .split("\n")
    .map((line) => line.split(" "));
  assert.equal(mounts.filter((fields) => fields[4] === "/").length, 1);
  for (const fields of mounts) {
    assert.ok(!fields[4]?.includes(engine.root), `a mount of the machine: ${fields.join(" ")}`);
    assert.ok(!fields[6]?.startsWith("shared:"), `propagates to the machine: ${fields.join(" ")}`);
  }
  assert.equal(await run("busybox", "sh", "-c", "ls -di / /..  | awk '{print $1}' | sort -u | wc -l"), "1");
  // The classic way out of a chroot: chroot again, then climb. There is nothing above a pivoted root.
  const climb = "mkdir -p /x && chroot /x /bin/true; cd ../../../../../../..; ls";
  assert.equal(await run("busybox", "sh", "-c", `${climb} | grep -cx bin`), "1");
});

test("explain names the clone and the pivot, each with its reason", can, async () => {
  const text = await engine.ok(["explain", "run", ...NONE, "--hostname", "inside", "busybox", "true"]);
  assert.match(text, /clone3/);
  for (const flag of ["CLONE_NEWUTS", "CLONE_NEWPID", "CLONE_NEWNS"]) assert.match(text, new RegExp(flag));
  assert.match(text, /pivot_root/);
  assert.match(text, /\[--hostname inside\]\s+\d+ {2}sethostname/);
  assert.match(text, /execve/);
});

test("--dry-run does nothing; --trace says how long each step took", can, async () => {
  const before = await engine.ok(["ps", "-aq"]);
  const dry = await engine.cais(["run", "--dry-run", ...NONE, "busybox", "echo", "ran"]);
  assert.equal(dry.code, 0);
  assert.match(dry.stdout + dry.stderr, /pivot_root/);
  assert.doesNotMatch(dry.stdout, /^ran$/m);
  assert.equal(await engine.ok(["ps", "-aq"]), before);

  const traced = await engine.cais(["run", "--rm", "--trace", ...NONE, "busybox", "echo", "ran"]);
  assert.equal(traced.code, 0);
  assert.match(traced.stdout, /^ran$/m);
  assert.match(traced.stderr, /^STEP\s+SIDE\s+µS\s+CALL\s+WHY$/m);
  assert.match(traced.stderr, /^\s*\d+\s+container\s+\d+\.\d\s+pivot_root\(.*make it the only root$/m);
  assert.match(traced.stderr, /^\d+ calls, \d+\.\d µs$/m);
});

test("network: a stack of its own with loopback up; none of the machine's links", can, async () => {
  assert.equal(await run("busybox", "sh", "-c", "ls /sys/class/net"), "lo");
  assert.match(await run("busybox", "ping", "-c", "1", "-W", "1", "127.0.0.1"), /1 packets received/);
  const host = await engine.ok([
    "run",
    "--rm",
    "--network",
    "host",
    "busybox",
    "readlink",
    "/proc/self/ns/net",
  ]);
  assert.equal(host, namespacesOf(engine.pid()).net);
});

test("uid: names are the image's own, groups come along", can, async () => {
  const id = await run("-u", "www", "busybox", "id");
  assert.match(id, /^uid=1000\(www\) gid=1000\(www\) groups=/);
  assert.match(id, /29\(audio\)/);
  assert.equal(await run("-u", "1234:4321", "busybox", "sh", "-c", "id -u; id -g"), "1234\n4321");
  const unknown = await engine.cais(["run", "--rm", ...NONE, "-u", "stranger", "busybox", "true"]);
  assert.equal(unknown.code, 125);
  assert.match(unknown.stderr, /stranger/);
});

test("capabilities: Docker's default set, none, all", can, async () => {
  const effective = async (...options: readonly string[]) =>
    /CapEff:\s*(\S+)/.exec(await run(...options, "busybox", "cat", "/proc/self/status"))?.[1];
  assert.equal(await effective(), "00000000a80425fb");
  assert.equal(await effective("--cap-drop", "ALL"), "0000000000000000");
  assert.equal(await effective("--cap-drop", "ALL", "--cap-add", "CHOWN"), "0000000000000001");
  assert.equal(BigInt(`0x${await effective("--privileged")}`) & (1n << 21n), 1n << 21n, "CAP_SYS_ADMIN");
  const refused = await engine.cais(["run", "--rm", ...NONE, "busybox", "mount", "-t", "tmpfs", "x", "/mnt"]);
  assert.notEqual(refused.code, 0);
});

test("rlimits: --ulimit is what the shell sees", can, async () => {
  assert.equal(
    await run("--ulimit", "nofile=64:128", "busybox", "sh", "-c", "ulimit -Sn; ulimit -Hn"),
    "64\n128",
  );
  assert.equal(await run("--ulimit", "core=0", "busybox", "sh", "-c", "ulimit -c"), "0");
});

test("cgroups: a fork bomb stops at --pids-limit", can, async () => {
  const args = ["run", "-d", ...NONE, "--name", "bomb", "--pids-limit", "16", "busybox"];
  await engine.ok([...args, "sh", "-c", "i=0; while [ $i -lt 40 ]; do sleep 1000 & i=$((i+1)); done; wait"]);
  const logged = await engine.cais(["wait", "bomb"]);
  assert.match(logged.stdout, /^\d+$/m);
  assert.match((await engine.cais(["logs", "bomb"])).stderr, /can't fork/i);
  await engine.ok(["rm", "-f", "bomb"]);

  await engine.ok(["run", "-d", ...NONE, "--name", "few", "--pids-limit", "16", "busybox", "sleep", "1000"]);
  const pid = Number(await engine.ok(["inspect", "-f", "{{.State.Pid}}", "few"]));
  assert.equal(readCgroup(pid, "pids", { v1: "pids.max", v2: "pids.max" }), "16");
  await engine.ok(["rm", "-f", "few"]);
});

test("the container outlives an engine that is killed, and so does its exit code", can, async () => {
  const script = "echo before; while [ ! -e /go ]; do sleep 0.05; done; echo after; exit 9";
  await engine.ok(["run", "-d", ...NONE, "--name", "survivor", "busybox", "sh", "-c", script]);
  const pid = await engine.ok(["inspect", "-f", "{{.State.Pid}}", "survivor"]);
  await engine.kill();
  await engine.start();
  assert.equal(
    await engine.ok(["inspect", "-f", "{{.State.Pid}} {{.State.Status}}", "survivor"]),
    `${pid} running`,
  );
  await engine.ok(["exec", "survivor", "touch", "/go"]);
  assert.equal(await engine.ok(["wait", "survivor"]), "9");
  assert.equal(await engine.ok(["logs", "survivor"]), "before\nafter");
  await engine.ok(["rm", "survivor"]);
});

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TestEngine } from "../support/engine.ts";
import { busyboxMissing } from "../support/fixtures.ts";
import { statusOf } from "../support/process.ts";
import { needs, root } from "../support/skip.ts";
import { suiteEngine } from "../support/suite.ts";

/** A container's life as the command line has it: every state and what leads from one to the next. */
const can = needs(root(), busyboxMissing());
const NONE = ["--network", "none"] as const;
/** Ends at once when it is asked to. */
const POLITE = 'trap "exit 0" TERM; echo ready; while :; do sleep 1000 & wait; done';
let engine: TestEngine;

suiteEngine(can, "busybox", (started) => {
  engine = started;
});

const run = (name: string, ...words: readonly string[]) =>
  engine.ok(["run", "-d", ...NONE, "--name", name, ...words]);
const shell = (name: string, script: string, ...options: readonly string[]) =>
  run(name, ...options, "busybox", "sh", "-c", script);
const state = (name: string, field: string) => engine.ok(["inspect", "-f", `{{.State.${field}}}`, name]);
const remove = (...names: readonly string[]) => engine.ok(["rm", "-f", "-v", ...names]);
/** Resolves once the container has said it. */
const spoken = async (name: string, words = "ready") => {
  let said = "";
  await engine.cais(["logs", "-f", name], {
    started: (child) =>
      child.stdout?.on("data", (chunk) => {
        said += chunk;
        if (said.includes(words)) child.kill();
      }),
  });
  assert.ok(said.includes(words), said);
};
/** What has happened to the container since `since`, as words, in order. */
const events = async (name: string, since: number, ...filters: readonly string[]) => {
  const window = ["--since", String(since), "--until", String(Date.now() / 1000 + 0.001)];
  const text = await engine.ok([
    ...["events", ...window, "--filter", `container=${name}`, "--filter", "type=container"],
    ...["--format", "{{.Action}}", ...filters],
  ]);
  return text.split("\n").filter(Boolean);
};

test("created, running, paused, exited: each state, and what it refuses", can, async () => {
  const since = Date.now() / 1000;
  const id = await engine.ok(["create", ...NONE, "--name", "life", "busybox", "sh", "-c", POLITE]);
  assert.equal(await state("life", "Status"), "created");
  assert.match((await engine.cais(["exec", "life", "true"])).stderr, /is not running/);
  assert.match((await engine.cais(["kill", "life"])).stderr, /is not running/);
  assert.equal(await engine.ok(["start", "life"]), "life");
  await spoken("life");
  assert.equal(await state("life", "Status"), "running");
  assert.equal((await engine.cais(["start", "life"])).code, 0, "a start of what runs does nothing");
  const held = await engine.cais(["rm", "life"]);
  assert.equal(held.code, 1);
  assert.match(held.stderr, /stop the container before removing or force remove/i);

  const pid = Number(await state("life", "Pid"));
  assert.equal(await engine.ok(["pause", "life"]), "life");
  assert.equal(await state("life", "Status"), "paused");
  assert.match((await engine.cais(["pause", "life"])).stderr, /already paused/);
  assert.match((await engine.cais(["exec", "life", "true"])).stderr, /is paused/);
  assert.match(await engine.ok(["ps", "--filter", "name=life"]), /Up .* \(Paused\)/);
  assert.equal(await engine.ok(["unpause", "life"]), "life");
  assert.match((await engine.cais(["unpause", "life"])).stderr, /is not paused/);
  assert.match(statusOf(pid, "State"), /^S/);

  assert.equal(await engine.ok(["stop", "life"]), "life");
  assert.equal(await state("life", "Status"), "exited");
  assert.equal(await state("life", "ExitCode"), "0");
  assert.equal((await engine.cais(["stop", "life"])).code, 0, "a stop of what has ended does nothing");
  assert.ok(!existsSync(`/proc/${pid}`));

  await engine.ok(["restart", "life"]);
  assert.equal(await state("life", "Status"), "running");
  await engine.ok(["restart", "-t", "0", "life"]);
  assert.notEqual(Number(await state("life", "Pid")), pid);
  assert.equal(await engine.ok(["rename", "life", "afterlife"]), "");
  assert.equal((await engine.cais(["inspect", "life"])).code, 1);
  assert.equal(await engine.ok(["rm", "-f", "afterlife"]), "afterlife");
  assert.deepEqual((await events(id, since)).slice(0, 6), [
    ...["create", "start", "pause", "unpause", "kill", "die"],
  ]);
  assert.deepEqual((await events(id, since)).slice(-3), ["kill", "die", "destroy"]);
});

test("a name in use is refused; one that has become free is not", can, async () => {
  await engine.ok(["create", "--name", "mine", "busybox", "true"]);
  const taken = await engine.cais(["run", "--name", "mine", "busybox", "true"]);
  assert.equal(taken.code, 125);
  assert.match(taken.stderr, /The container name "\/mine" is already in use by container "[0-9a-f]{64}"/);
  await engine.ok(["create", "--name", "other", "busybox", "true"]);
  assert.equal((await engine.cais(["rename", "other", "mine"])).code, 1);
  await remove("mine");
  await engine.ok(["rename", "other", "mine"]);
  await remove("mine");
});

test("stop asks with --stop-signal and kills after --stop-timeout", can, async () => {
  const told = 'trap "exit 3" USR1; echo ready; while :; do sleep 1000 & wait; done';
  await shell("asked", told, "--stop-signal", "USR1");
  await spoken("asked");
  await engine.ok(["stop", "asked"]);
  assert.equal(await state("asked", "ExitCode"), "3");
  await shell("deaf", 'trap "" TERM; echo ready; sleep 1000', "--stop-timeout", "1");
  await spoken("deaf");
  await engine.ok(["stop", "deaf"]);
  assert.equal(await state("deaf", "ExitCode"), "137");
  await engine.ok(["start", "deaf"]);
  await engine.ok(["stop", "-t", "0", "deaf"]);
  assert.equal(await state("deaf", "ExitCode"), "137");
  await remove("asked", "deaf");
});

test("kill sends a signal, by name or number; without one it is SIGKILL", can, async () => {
  await shell(
    "victim",
    'trap "echo hup" HUP; trap "exit 5" USR2; echo ready; while :; do sleep 1000 & wait; done',
  );
  await spoken("victim");
  await engine.ok(["kill", "-s", "HUP", "victim"]);
  await spoken("victim", "hup");
  await engine.ok(["kill", "--signal", "12", "victim"]);
  assert.equal(await engine.ok(["wait", "victim"]), "5");
  await engine.ok(["start", "victim"]);
  await engine.ok(["kill", "victim"]);
  assert.equal(await engine.ok(["wait", "victim"]), "137");
  assert.match((await engine.cais(["kill", "-s", "NONSENSE", "victim"])).stderr, /NONSENSE|is not running/);
  await remove("victim");
});

test("wait tells each end; for what has ended, at once", can, async () => {
  await shell("six", "exit 6");
  await shell("seven", "exit 7");
  assert.equal(await engine.ok(["wait", "six", "seven"]), "6\n7");
  assert.equal(await engine.ok(["wait", "six"]), "6");
  assert.equal((await engine.cais(["wait", "nobody"])).code, 1);
  // Also an end that a start follows.
  await shell("again", "read x; exit 3", "-i", "--restart", "always");
  assert.equal((await engine.cais(["attach", "again"], { input: "\n" })).code, 3);
  await remove("again");
  await remove("six", "seven");
});

test("--restart: no, on-failure, always and unless-stopped", can, async () => {
  const since = Date.now() / 1000;
  await shell("never", "exit 1", "--restart", "no");
  assert.equal(await engine.ok(["wait", "never"]), "1");
  assert.equal(await engine.ok(["inspect", "-f", "{{.RestartCount}}", "never"]), "0");

  await shell("thrice", "exit 4", "--restart", "on-failure:2");
  // A wait ends with the run that it met.
  do assert.equal(await engine.ok(["wait", "thrice"]), "4");
  while ((await state("thrice", "Status")) !== "exited");
  assert.equal(
    await engine.ok(["inspect", "-f", "{{.RestartCount}} {{.State.Status}}", "thrice"]),
    "2 exited",
  );
  assert.deepEqual(await events("thrice", since, "--filter", "event=start"), ["start", "start", "start"]);
  await shell("content", "exit 0", "--restart", "on-failure");
  assert.equal(await engine.ok(["wait", "content"]), "0");
  assert.equal(await engine.ok(["inspect", "-f", "{{.RestartCount}}", "content"]), "0");

  for (const policy of ["always", "unless-stopped"]) {
    // The second run finds what the first has left in its root, and stays.
    const script = `[ -e /second ] && exec sleep 1000; echo > /second; exit 0`;
    const started = engine.cais(
      ["events", "--since", String(since), "--filter", `container=${policy}`, "--format", "{{.Action}}"],
      {
        started: (child) => {
          let seen = "";
          child.stdout?.on("data", (chunk) => {
            seen += chunk;
            if ((seen.match(/^start$/gm)?.length ?? 0) === 2) child.kill();
          });
        },
      },
    );
    await shell(policy, script, "--restart", policy);
    await started;
    assert.equal(await state(policy, "Running"), "true");
    await engine.ok(["stop", "-t", "0", policy]);
    assert.equal(await state(policy, "Status"), "exited", "what is stopped by hand stays so");
  }
  await engine.ok(["update", "--restart", "no", "always"]);
  assert.equal(await engine.ok(["inspect", "-f", "{{.HostConfig.RestartPolicy.Name}}", "always"]), "no");
  await remove("never", "thrice", "content", "always", "unless-stopped");
});

test(
  "--restart over a restart of the engine: always comes back, unless-stopped only if it was not",
  can,
  async () => {
    for (const policy of ["always", "unless-stopped"]) {
      await run(`${policy}-on`, "--restart", policy, "busybox", "sleep", "1000");
      await run(`${policy}-off`, "--restart", policy, "busybox", "sleep", "1000");
      await engine.ok(["stop", "-t", "0", `${policy}-off`]);
    }
    await run("plain", "busybox", "sleep", "1000");
    const pid = await state("plain", "Pid");
    await engine.kill();
    await engine.start();
    assert.equal(await state("plain", "Pid"), pid, "what runs is not touched");
    const running = (await engine.ok(["ps", "--format", "{{.Names}}"])).split("\n").sort();
    assert.deepEqual(running, ["always-off", "always-on", "plain", "unless-stopped-on"]);
    await remove("plain", "always-on", "always-off", "unless-stopped-on", "unless-stopped-off");
  },
);

test("ps: filters, columns, order", can, async () => {
  await run("first", "--label", "tier=web", "busybox", "sleep", "1000");
  await shell("second", "exit 3", "--label", "tier=db", "-v", "shelf:/shelf");
  await engine.ok(["wait", "second"]);
  const caps = ["--cap-add", "net_admin", "--cap-drop", "all"];
  await engine.ok(["create", "--name", "third", "-v", "/tmp:/host", ...caps, "busybox", "true"]);
  const kept = await engine.ok(["inspect", "-f", "{{.HostConfig.CapAdd}} {{.HostConfig.CapDrop}}", "third"]);
  assert.equal(kept, "[CAP_NET_ADMIN] [ALL]");
  const names = async (...filters: readonly string[]) =>
    (
      await engine.ok(["ps", "-a", "--format", "{{.Names}}", ...filters.flatMap((one) => ["--filter", one])])
    ).split("\n");
  assert.deepEqual(await names(), ["third", "second", "first"]);
  const filters: readonly (readonly [filter: string, found: readonly string[]])[] = [
    ["status=running", ["first"]],
    ["status=exited", ["second"]],
    ["status=created", ["third"]],
    ["exited=3", ["second"]],
    ["label=tier", ["second", "first"]],
    ["label=tier=db", ["second"]],
    ["name=ir", ["third", "first"]],
    ["name=^first$", ["first"]],
    ["volume=shelf", ["second"]],
    ["volume=/shelf", ["second"]],
    ["volume=/tmp", ["third"]],
    ["ancestor=busybox", ["third", "second", "first"]],
    ["before=second", ["first"]],
    ["since=second", ["third"]],
    ["network=none", ["second", "first"]],
  ];
  for (const [filter, found] of filters) {
    assert.deepEqual((await names(filter)).filter(Boolean), found, filter);
  }
  assert.deepEqual(await names("status=exited", "status=created"), ["third", "second"]);
  assert.equal(
    await engine.ok(["ps", "-q"]),
    (await engine.ok(["inspect", "-f", "{{.Id}}", "first"])).slice(0, 12),
  );
  const quiet = await engine.cais(["ps", "-q", "--format", "{{.Names}}"]);
  assert.deepEqual([quiet.stdout.length, /Ignoring custom format/.test(quiet.stderr)], [13, true]);
  assert.equal(await engine.ok(["ps", "-l", "--format", "{{.Names}} {{.Status}}"]), "third Created");
  assert.match(await engine.ok(["ps", "-n", "2"]), /^CONTAINER ID .*\n.* third\n.* Exited \(3\) .* second$/);
  assert.match((await engine.cais(["ps", "--filter", "nonsense=1"])).stderr, /invalid filter 'nonsense'/);
  // What stands on an image has it as an ancestor.
  await engine.ok(["commit", "third", "upon:1"]);
  await engine.ok(["create", "--name", "fourth", "upon:1", "true"]);
  assert.deepEqual(await names("ancestor=busybox"), ["fourth", "third", "second", "first"]);
  assert.deepEqual(await names("ancestor=upon:1"), ["fourth"]);
  await remove("first", "second", "third", "fourth");
  await engine.ok(["rmi", "upon:1"]);
  await engine.ok(["volume", "rm", "shelf"]);
});

test(
  "rm -v takes the anonymous volumes along and leaves the named; prune takes what does not run",
  can,
  async () => {
    const volumes = async () => (await engine.ok(["volume", "ls", "-q"])).split("\n").filter(Boolean);
    await engine.ok([
      "create",
      "--name",
      "holder",
      "-v",
      "/anonymous",
      "-v",
      "kept:/kept",
      "busybox",
      "true",
    ]);
    assert.equal((await volumes()).length, 2);
    await engine.ok(["rm", "-v", "holder"]);
    assert.deepEqual(await volumes(), ["kept"]);
    await engine.ok(["volume", "rm", "kept"]);

    await run("running", "busybox", "sleep", "1000");
    await engine.ok(["create", "--name", "dead", "--label", "keep", "busybox", "true"]);
    const id = await engine.ok(["create", "busybox", "true"]);
    const pruned = await engine.ok(["container", "prune", "-f", "--filter", "label!=keep"]);
    assert.match(pruned, new RegExp(`Deleted Containers:\\n${id}\\n\\nTotal reclaimed space: `));
    assert.equal(await engine.ok(["ps", "-a", "--format", "{{.Names}}"]), "dead\nrunning");
    await remove("running", "dead");
    for (const folder of ["containers", "snapshots/writables"])
      assert.ok(!existsSync(join(engine.root, folder, id)));
    assert.equal((await engine.cais(["rm", "nobody"])).code, 1);
    assert.equal((await engine.cais(["rm", "-f", "nobody"])).code, 0);
  },
);

test("inspect, top and port tell what runs", can, async () => {
  await run("told", "--init=false", "-e", "A=b", "busybox", "sleep", "1234");
  const [whole] = JSON.parse(await engine.ok(["inspect", "told"])) as Record<string, unknown>[];
  assert.equal(whole?.Name, "/told");
  assert.equal(whole?.Path, "sleep");
  assert.deepEqual(whole?.Args, ["1234"]);
  const top = (await engine.ok(["top", "told", "aux"])).split("\n");
  assert.match(top[0] ?? "", /^USER\s+PID\s+%CPU\s+%MEM\s+VSZ\s+RSS\s+TTY\s+STAT\s+START\s+TIME\s+COMMAND/);
  assert.match(top[1] ?? "", new RegExp(`^root\\s+${await state("told", "Pid")}\\s.*sleep 1234`));
  assert.equal(await engine.ok(["port", "told"]), "");
  assert.match((await engine.cais(["port", "told", "80"])).stderr, /No public port '80' published for told/);
  await remove("told");
});

test("limits are changed while it runs, and stats counts", can, async () => {
  await run("limited", "--memory", "48m", "--cpus", "0.2", "--pids-limit", "20", "busybox", "sleep", "1000");
  await engine.ok(["update", "--memory", "64m", "--memory-swap", "64m", "--pids-limit", "30", "limited"]);
  const both = await engine.cais(["update", "--memory", "96m", "limited"]);
  assert.equal(both.code, 1);
  assert.match(both.stderr, /smaller than already set memoryswap limit/);
  const format = "{{.Name}} {{.MemUsage}} {{.PIDs}}";
  assert.match(
    await engine.ok(["stats", "--no-stream", "--format", format, "limited"]),
    /^limited \S+ \/ 64MiB 1$/,
  );
  assert.equal(
    await engine.ok(["inspect", "-f", "{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}}", "limited"]),
    `${64 << 20} 30`,
  );
  await remove("limited");
});

test("exit codes: 125 the engine, 126 not executable, 127 not there, 128+n killed", can, async () => {
  const code = async (...words: readonly string[]) =>
    (await engine.cais(["run", "--rm", ...NONE, ...words])).code;
  assert.equal(await code("no-such-image-here"), 125);
  assert.equal(await code("busybox", "/etc/passwd"), 126);
  assert.equal(await code("busybox", "/etc"), 126);
  assert.equal(await code("busybox", "no-such-command"), 127);
  assert.equal(await code("busybox", "/no/such/command"), 127);
  assert.equal(await code("busybox", "sh", "-c", "exit 77"), 77);
  assert.equal(await code("--init", "busybox", "sh", "-c", "kill -TERM $$"), 143);
  assert.equal(await code("--init", "busybox", "sh", "-c", "kill -SEGV $$"), 139);
  assert.equal(await engine.ok(["ps", "-aq"]), "");
});

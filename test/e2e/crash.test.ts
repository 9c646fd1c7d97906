import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, readlinkSync, watch } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { startEngine, type TestEngine } from "../support/engine.ts";
import { busyboxMissing, busyboxTar } from "../support/fixtures.ts";
import { random } from "../support/random.ts";
import { needs, root } from "../support/skip.ts";

/**
 * The engine is killed at random moments while several clients make, run, enter and remove containers. Then what
 * was there is there, what runs still runs and has lost nothing, and nothing is left that belongs to nobody.
 */
const can = needs(root(), busyboxMissing());
const ROUNDS = 14;
const CLIENTS = 4;
const TICKS = 1500;
const NONE = ["--network", "none"] as const;

/** What the clients know of. */
interface Ledger {
  /** Made, and nobody has begun to remove it. */
  readonly sure: Set<string>;
  /** Being removed, or made by a command that got no answer. */
  readonly begun: Set<string>;
}

/** One client: it does one thing after the other until `done`, whether there is an engine or not. */
async function client(
  engine: TestEngine,
  ledger: Ledger,
  number: number,
  next: () => number,
  done: () => boolean,
) {
  for (let count = 0; !done(); count++) {
    const name = `c${number}-${count}`;
    const mine = [...ledger.sure].filter((one) => one.startsWith(`c${number}-`));
    const other = mine[Math.floor(next() * mine.length)];
    const what = next();
    if (what < 0.3 || other === undefined) {
      ledger.begun.add(name);
      const verb = what < 0.1 ? ["create"] : ["run", "-d"];
      const { code } = await engine.cais([
        ...verb,
        "--name",
        name,
        ...NONE,
        "busybox",
        "sleep",
        what < 0.2 ? "1000" : "0.3",
      ]);
      if (code !== 0) continue;
      ledger.begun.delete(name);
      ledger.sure.add(name);
    } else if (what < 0.5) await engine.cais(["run", "--rm", ...NONE, "busybox", "echo", "hello"]);
    else if (what < 0.7) await engine.cais(["exec", other, "sh", "-c", "echo in; sleep 0.1"]);
    else if (what < 0.8) await engine.cais(["logs", other]);
    else {
      ledger.sure.delete(other);
      ledger.begun.add(other);
      await engine.cais(["rm", "-f", other]);
    }
  }
}

const list = (path: string): string[] => (existsSync(path) ? readdirSync(path).sort() : []);

/** Processes, the engine aside, that hold a file of its run directory. */
function holders({ run, pid }: TestEngine): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== pid())
    .map(Number)
    .filter((each) => filesOf(each).some((file) => file.startsWith(`${run}/`)));
}

function filesOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}

/** Ids of containers that have a cgroup, in any tree, of those that `known` says are of this engine. */
function cgroups(known: (id: string) => boolean): string[] {
  const trees = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .flatMap((line) => (/ - cgroup2? /.test(line) ? [line.split(" ")[4] ?? ""] : []));
  const found = trees
    .flatMap((tree) => list(join(tree, "cais")))
    .filter((id) => /^[0-9a-f]{64}$/.test(id) && known(id));
  return [...new Set(found)].sort();
}

/** What is wrong now; empty when everything that is there belongs to a container that is there. */
async function leftovers(engine: TestEngine, own: ReadonlySet<string>): Promise<string[]> {
  const ids = (filter: readonly string[]) =>
    engine.ok(["ps", "-q", "--no-trunc", ...filter]).then((text) => text.split("\n").filter(Boolean).sort());
  const [all, running] = await Promise.all([ids(["-a"]), ids([])]);
  const listed = running.length === 0 ? "" : await engine.ok(["inspect", "-f", "{{.State.Pid}}", ...running]);
  const pids = listed.split("\n").filter(Boolean).map(Number);
  const keepers = holders(engine);
  const parents = new Set(pids.map((pid) => parentOf(pid)));
  const expect = (what: string, found: readonly string[], expected: readonly string[]) => {
    const more = found.filter((one) => !expected.includes(one));
    const less = expected.filter((one) => !found.includes(one));
    return [
      ...(more.length > 0 ? [`${what}: too many: ${more.join(" ")}`] : []),
      ...(less.length > 0 ? [`${what}: missing: ${less.join(" ")}`] : []),
    ];
  };
  return [
    ...expect("snapshots", list(join(engine.root, "snapshots/overlay2/w")), all),
    ...expect("records", list(join(engine.root, "containers")), all),
    ...expect("staging", list(join(engine.root, "snapshots/overlay2/staging")), []),
    ...expect("removed", list(join(engine.root, "snapshots/overlay2/removed")), []),
    ...expect("programs", list(join(engine.root, "programs")), []),
    ...expect(
      "run directories",
      list(join(engine.run, "containers")),
      running.flatMap((id) => [id, `${id}.json`]),
    ),
    ...expect("run directories of execs", list(join(engine.run, "execs")), []),
    ...expect("mounts", list(join(engine.run, "mounts")), []),
    ...expect(
      "cgroups",
      cgroups((id) => own.has(id)),
      running,
    ),
    ...keepers
      .filter((pid) => !parents.has(pid) && !pids.includes(pid))
      .map((pid) => `keeper: ${described(pid)}`),
  ];
}

/** A process as a failure names it. */
function described(pid: number): string {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
    const files = [...new Set(filesOf(pid))].filter((file) => file.startsWith("/tmp/"));
    return `${pid} ${readFileSync(`/proc/${pid}/cmdline`, "utf8")} (children ${children}) ${files.join(" ")}`;
  } catch {
    return `${pid} (gone)`;
  }
}

const parentOf = (pid: number): number =>
  Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);

/** Removal of directories and the ends of execs are not waited for by the engine: they may take a moment. */
async function settled(engine: TestEngine, own: ReadonlySet<string>): Promise<string[]> {
  let wrong: string[] = [];
  for (let tries = 0; tries < 20; tries++) {
    wrong = await leftovers(engine, own);
    if (wrong.length === 0) break;
    await pause(150);
  }
  return wrong;
}

test("kill -9 of the engine at random moments of a storm loses nothing and leaves nothing", {
  ...can,
  timeout: 150_000,
}, async () => {
  const seed = Number(process.env.CAIS_TEST_SEED ?? Date.now() % 100_000);
  const next = random(seed);
  await using engine = await startEngine();
  // Other engines of this machine have their cgroups in the same directory.
  const own = new Set<string>();
  const watcher = watch(
    join(engine.root, "containers"),
    (_, name) => void own.add((name ?? "").slice(0, 64)),
  );
  await engine.ok(["import", busyboxTar(), "busybox"]);
  const tick = `i=0; while [ $i -lt ${TICKS} ]; do i=$((i+1)); echo $i; sleep 0.01; done; exit 7`;
  await engine.ok(["run", "-d", "--name", "ticker", ...NONE, "busybox", "sh", "-c", tick]);
  await engine.ok(["run", "-d", "--name", "silent", ...NONE, "busybox", "sleep", "1000"]);
  const silent = await engine.ok(["inspect", "-f", "{{.State.Pid}} {{.State.StartedAt}}", "silent"]);

  const ledger: Ledger = { sure: new Set(), begun: new Set() };
  let done = false;
  const clients = Array.from({ length: CLIENTS }, (_, index) =>
    client(engine, ledger, index, random(seed + index), () => done),
  );
  for (let round = 0; round < ROUNDS; round++) {
    await pause(100 + next() * 900);
    await engine.kill();
    await pause(next() * 150);
    await engine.start();
  }
  done = true;
  await Promise.all(clients);
  await engine.kill();
  await engine.start();

  assert.equal(await engine.ok(["wait", "ticker"]), "7", `seed ${seed}`);
  const ticks = (await engine.ok(["logs", "ticker"])).split("\n").map(Number);
  const all = Array.from({ length: TICKS }, (_, index) => index + 1);
  assert.deepEqual(ticks, all, `seed ${seed}: each tick is in the log once`);
  assert.equal(await engine.ok(["inspect", "-f", "{{.State.Pid}} {{.State.StartedAt}}", "silent"]), silent);
  const names = new Set((await engine.ok(["ps", "-a", "--format", "{{.Names}}"])).split("\n"));
  const lost = [...ledger.sure].filter((name) => !names.has(name));
  assert.deepEqual(lost, [], `seed ${seed}: containers that are gone`);
  assert.deepEqual(await settled(engine, own), [], `seed ${seed}: left behind`);
  // What is there works: each can be removed, and then there is nothing.
  const ids = (await engine.ok(["ps", "-aq"])).split("\n").filter(Boolean);
  await engine.ok(["rm", "-f", ...ids]);
  assert.deepEqual(await settled(engine, own), [], `seed ${seed}: left behind after the removal of all`);
  watcher.close();
  assert.ok(own.size > 10);
});

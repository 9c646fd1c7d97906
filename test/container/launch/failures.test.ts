import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Running } from "../../../src/container/launcher.ts";
import type { ErrnoName } from "../../../src/kernel/errno.ts";
import type { Bridge, Endpoint } from "../../../src/network/endpoint.ts";
import { bridgePlan } from "../../../src/network/wires/bridge.ts";
import { StepError } from "../../../src/plan/error.ts";
import { runPlan } from "../../../src/plan/run.ts";
import { run } from "../../network/look.ts";
import { busyboxMissing } from "../../support/fixtures.ts";
import { enterOwnNetwork, type OwnNetwork } from "../../support/netns.ts";
import { needs, root } from "../../support/skip.ts";
import { makeScene, type Scene, type Wanted } from "./scene.ts";

// Each step of a launch fails once: the error must name it, and nothing may be left of what came before it.

const can = { ...needs(root(), busyboxMissing()), timeout: 60_000 };
let scene: Scene;
let own: OwnNetwork;
let inject: { step: number; errno: ErrnoName } | undefined;

before(async () => {
  if (can.skip !== undefined) return;
  own = await enterOwnNetwork();
  await runPlan(bridgePlan(BRIDGE));
  scene = await makeScene({ inject: () => inject });
  symlinkSync("nowhere", join(scene.image, "dangling"));
  for (const name of ["containers", "execs"]) mkdirSync(join(scene.run, name));
});
after(async () => {
  await scene?.[Symbol.asyncDispose]();
  own?.leave();
});

const BRIDGE: Bridge = {
  network: "web",
  name: "cais0",
  addresses: [{ address: "172.17.0.1", bits: 16 }],
  forward4: true,
  forward6: false,
  routeLocalnet: true,
};
/** Two interfaces: the second is made, and taken back, with the first. */
const ENDPOINTS: readonly Endpoint[] = [2, 3].map((number) => ({
  network: "web",
  interface: `eth${number}`,
  link: { driver: "bridge", bridge: "cais0", host: `veth000000${number}`, isolated: true },
  mac: `02:42:ac:11:00:0${number}`,
  addresses: [
    { address: `172.17.0.${number}`, bits: 16 },
    { address: `fd00::${number}`, bits: 64 },
  ],
  ...(number === 2
    ? {
        defaultRoute4: { via: "172.17.0.1" },
        asks: { from: "172.17.0.2", server: "172.17.0.1" },
      }
    : {}),
}));

/** Beside an interface: the kernel chooses the MAC address, since one that is going still has its own. */
const BESIDE: Endpoint = {
  network: "lan",
  interface: "eth9",
  link: { driver: "macvlan", parent: "cais0", mode: "bridge" },
  addresses: [{ address: "10.9.0.2", bits: 24 }],
};

/** What a failed start could leave behind. */
function left(): readonly string[] {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line.includes(scene.directory))
    .map((line) => `mount ${line.split(" ")[4]}`);
  const files = readdirSync(scene.directory, { recursive: true, encoding: "utf8" })
    // Mount points and the like that the container's side made in its own root are the container's.
    .filter((name) => !/^(image|upper|work)\//.test(name));
  const links = run("ip", ["-o", "link", "show"])
    .split("\n")
    .map((line) => `link ${line.split(":")[1]}`);
  return [...mounts, ...files, ...scene.cgroups(), ...processes(), ...links];
}

/** What follows a first call that said no, what ends no launch, and the place of a console that is a link. */
const NEVER_FAIL =
  /^(ppoll|read\(signals\)|close|openat\("\/dev\/null"|dup3|move_mount\(<console>, "", <place-parent>)/;

/** Other runs of this file may be under way. */
const mine = `s${process.pid}-`;

/** Keepers, and processes in this scene's cgroups. */
function processes(): string[] {
  return readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return [];
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ");
      const inside = readFileSync(`/proc/${pid}/cgroup`, "latin1").includes(`${scene.cgroup}/`);
      return inside || line.startsWith(`cais-keeper ${mine}`) ? [`process ${pid}: ${line}`] : [];
    } catch {
      return [];
    }
  });
}

const descriptors = () => readdirSync("/proc/self/fd").length;

/** Fails every step once: those in `plan`, or until nothing fails. Returns failures and what never ran. */
async function sweep(begin: (id: string) => Promise<Running>, plan?: string) {
  const failures: StepError[] = [];
  const unused: string[] = [];
  const steps =
    plan === undefined ? undefined : [...plan.matchAll(/^ +\d+ +(.*)$/gm)].map(([, text]) => text ?? "");
  /** A call is made in more than one place: where something is there already, and where it must be made. */
  const failed = new Set<string>();
  const before = left();
  const open = descriptors();
  for (let step = 0; step < (steps?.length ?? 1000); step++) {
    const text = steps?.[step];
    // The places of its mounts are missing each time.
    if (plan !== undefined)
      for (const name of readdirSync(scene.upper))
        rmSync(join(scene.upper, name), { recursive: true, force: true });
    inject = { step, errno: "EXDEV" };
    const begun = await begin(`${mine}${step}`).catch((error: unknown) => error);
    inject = undefined;
    if (begun instanceof Error) {
      assert.ok(begun instanceof StepError, `step ${step}: ${begun}`);
      assert.equal(begun.number, step, `step ${step}: ${begun.message}`);
      assert.equal(begun.errno, "EXDEV");
      assert.match(begun.message, /^Cannot \S.*: .*\(EXDEV\)/);
      if (text !== undefined) assert.ok(text.startsWith(begun.call), `${text}: ${begun.call}`);
      failures.push(begun);
      failed.add(callOf(text));
    } else {
      const { exit } = await scene.finish(begun as Running);
      assert.equal(exit.code, 0, `step ${step} did not fail the start`);
      // Its keeper undoes what it made when it is released, on its own time.
      for (let tries = 0; tries < 200 && left().some((each) => !before.includes(each)); tries++)
        await new Promise((done) => setTimeout(done, 10));
      if (text === undefined) return { failures, unused };
      unused.push(text);
    }
    // An interface whose other end was in the child's namespace goes with that, on the kernel's own time.
    const links = () => left().filter((each) => each.startsWith("link ") && !before.includes(each));
    for (let tries = 0; tries < 100 && links().length > 0; tries++)
      await new Promise((done) => setTimeout(done, 10));
    assert.deepEqual(
      left().filter((each) => !before.includes(each)),
      [],
      `left behind by step ${step}: ${text}`,
    );
  }
  // The streams of the last container are closed by and by.
  for (let tries = 0; descriptors() > open && tries < 500; tries++)
    await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(descriptors() <= open, `${descriptors() - open} descriptors more than before`);
  return { failures, unused: unused.filter((text) => !failed.has(callOf(text))) };
}

const callOf = (text = "") =>
  text
    .replace(/ {2}\(.*: go on\)$/, "")
    .replace(/<tree\.\d+>/, "<tree>")
    .replace(/"(new|dangling)"/, '"name"');

const bind = (): Wanted["mounts"] => [
  { destination: "/mnt/one", type: "bind", source: scene.image, options: ["rbind", "ro", "rprivate"] },
  { destination: "/etc/new", type: "bind", source: join(scene.image, "etc/passwd"), options: ["bind"] },
  { destination: "/dangling", type: "bind", source: join(scene.image, "etc/passwd"), options: ["bind"] },
];
const variants: Readonly<Record<string, () => Wanted>> = {
  "a plain container": () => ({}),
  "a terminal and input": () => ({
    process: { terminal: true, consoleSize: { height: 20, width: 50 } },
    request: { stdin: true },
  }),
  "input, an init and binds": () => ({ mounts: bind() ?? [], request: { stdin: true, init: true } }),
  "own users, own time, a terminal": () => ({
    namespaces: ["user", "time"],
    linux: { timeOffsets: { boottime: { secs: 7 } } },
    process: { terminal: true },
    mounts: bind() ?? [],
  }),
  "two interfaces on a bridge": () => ({ request: { endpoints: ENDPOINTS } }),
  "two interfaces, own users, a terminal": () => ({
    namespaces: ["user"],
    process: { terminal: true },
    request: { endpoints: ENDPOINTS },
  }),
  "an interface on a bridge and one beside it, a terminal": () => ({
    process: { terminal: true },
    request: { endpoints: [ENDPOINTS[0]!, BESIDE] },
  }),
  "the machine's processes, with an init": () => ({
    shared: ["pid"],
    request: { init: true },
    process: {
      noNewPrivileges: true,
      oomScoreAdj: 100,
      rlimits: [{ type: "RLIMIT_NOFILE", soft: 99, hard: 99 }],
    },
  }),
};

for (const [name, wanted] of Object.entries(variants)) {
  test(`every step of a launch fails once: ${name}`, can, async () => {
    const plan = scene.launcher.explain(scene.request("swept", ["true"], wanted()), "explain");
    const { failures, unused } = await sweep((id) => scene.start(id, ["true"], wanted()), plan);
    assert.deepEqual(
      unused.filter((text) => !NEVER_FAIL.test(text)),
      [],
    );
    assert.ok(
      failures.some(({ side }) => side === "keeper") && failures.some(({ side }) => side === "container"),
    );
  });
}

for (const terminal of [false, true]) {
  test(`every step of an exec fails once${terminal ? ", with a terminal" : ""}`, can, async () => {
    const container = await scene.start("swept", ["sleep", "1000"]);
    try {
      const { failures } = await sweep(() => scene.exec(container, ["true"], { terminal }, true));
      assert.ok(failures.length > 80);
    } finally {
      container.signal(9);
      await scene.finish(container);
    }
  });
}

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setImmediate as immediate } from "node:timers/promises";
import type { Hooks } from "../../../src/oci/runtime/spec.ts";
import { busyboxMissing } from "../../support/fixtures.ts";
import { namespacesOf } from "../../support/process.ts";
import { needs, root } from "../../support/skip.ts";
import { makeScene, type Scene, shell, type Wanted } from "./scene.ts";

// Hooks run at their time, in their namespaces, with the container's state as their input; what fails is told.

const can = { ...needs(root(), busyboxMissing()), timeout: 30_000 };
let scene: Scene;
let bundle: string;

before(async () => {
  if (can.skip !== undefined) return;
  scene = await makeScene();
  bundle = join(scene.directory, "bundle");
  mkdirSync(join(bundle, "rootfs"), { recursive: true });
});
after(() => scene?.[Symbol.asyncDispose]());

const wanted = (hooks: Hooks, more: Wanted = {}): Wanted => ({
  ...more,
  hooks,
  annotations: { "com.example.key": 'a "quoted" value' },
  request: {
    ...more.request,
    bundle: { id: "box", path: bundle, root: join(bundle, "rootfs"), hookOutput: join(bundle, "hooks") },
  },
});

const said = (name: string) => readFileSync(join(bundle, name), "utf8");

/** A hook that notes what it is told and what it sees. */
const note = (name: string, directory = bundle) => ({
  path: "/bin/sh",
  args: [
    "sh",
    "-c",
    `cat >${directory}/${name}.json; (readlink /proc/self/ns/*; pwd; env) >${directory}/${name}.seen`,
  ],
  env: ["HOME=/nowhere"],
});

const KINDS: Readonly<Record<string, Wanted>> = {
  "a plain container": {},
  "own users": { namespaces: ["user"] },
  "a terminal": { process: { terminal: true } },
  "an init": { request: { init: true } },
};

for (const [kind, more] of Object.entries(KINDS)) {
  test(`${kind}: each kind of hook is told the state and runs in its namespaces`, can, async () => {
    rmSync(join(bundle, "hooks"), { force: true });
    const running = await scene.start(
      `kinds-${kind.replaceAll(" ", "-")}`,
      shell("cat /tmp/started; : >/tmp/said; exec sleep 1000"),
      wanted(
        {
          prestart: [note("prestart")],
          createRuntime: [note("createRuntime"), { path: "/bin/echo", args: ["echo", "second"] }],
          createContainer: [
            { path: "/bin/sh", args: ["sh", "-c", "cat; echo; readlink /proc/self/ns/net; pwd; ls"] },
          ],
          startContainer: [
            { path: "/bin/sh", args: ["sh", "-c", "cat >/tmp/started; id -u >>/tmp/started"] },
          ],
          poststart: [note("poststart")],
        },
        more,
      ),
    );
    try {
      const own = namespacesOf("self");
      const container = namespacesOf(running.pid);
      const state = {
        ociVersion: "1.2.0",
        id: "box",
        bundle,
        annotations: { "com.example.key": 'a "quoted" value' },
      };
      for (const [name, status] of [
        ["prestart", "creating"],
        ["createRuntime", "creating"],
        ["poststart", "running"],
      ] as const) {
        assert.deepEqual(JSON.parse(said(`${name}.json`)), {
          ...state,
          status,
          pid: running.pid,
        });
        const seen = said(`${name}.seen`);
        for (const type of ["mnt", "pid", "net", "user"])
          assert.ok(seen.includes(own[type] ?? ""), `${name} ${type}`);
        assert.ok(
          seen.includes(`\n${bundle}\n`) && seen.includes("HOME=/nowhere") && !seen.includes("USER="),
          seen,
        );
      }
      const [second, created, net, cwd, ...files] = said("hooks").trim().split("\n");
      assert.equal(second, "second");
      assert.deepEqual(JSON.parse(created ?? ""), { ...state, status: "creating", pid: 1 });
      assert.equal(net, container.net);
      assert.equal(cwd, join(bundle, "rootfs"));
      assert.ok(files.includes("proc") && files.includes("bin"), files.join(" "));
      while (!existsSync(`/proc/${running.pid}/root/tmp/said`)) await immediate();
    } finally {
      running.signal(9);
    }
    const { stdout } = await scene.finish(running);
    assert.match(stdout, /^\{"ociVersion":"1.2.0","id":"box","status":"created","pid":1,.*\}0\s*$/);
  });
}

test(
  "hooks see the container's mounts on its root, and what they mount there the container has",
  can,
  async () => {
    const place = join(bundle, "rootfs");
    const look = `mkdir ${place}/mnt && ls ${place}/proc/self/status ${place}/dev/null && mount -t tmpfs hook ${place}/mnt && touch ${place}/mnt/by-hook`;
    const { exit, stdout } = await scene.do(
      shell("ls /mnt; grep -c ' /mnt .*shared' /proc/self/mountinfo; grep -c master: /proc/self/mountinfo"),
      wanted({
        createContainer: [{ path: "/bin/sh", args: ["sh", "-c", look], env: ["PATH=/bin:/usr/bin"] }],
      }),
    );
    assert.equal(exit.code, 1, "no mount is anybody's slave");
    assert.equal(stdout, "by-hook\n1\n0\n");
  },
);

/** How a hook fails → what is said of it. */
const FAILURES: readonly (readonly [string, Hooks[keyof Hooks], RegExp])[] = [
  [
    "a status",
    [{ path: "/bin/sh", args: ["sh", "-c", "exit 3"] }],
    /hook \/bin\/sh: it ended with status 3$/,
  ],
  [
    "a signal",
    [{ path: "/bin/sh", args: ["sh", "-c", "kill -9 $$"] }],
    /hook \/bin\/sh: signal 9 killed it$/,
  ],
  [
    "a timeout",
    [{ path: "/bin/sleep", args: ["sleep", "100"], timeout: 1 }],
    /hook \/bin\/sleep: it did not end within 1 seconds/,
  ],
  [
    "no program",
    [{ path: "/no/such/hook" }],
    /hook \/no\/such\/hook: execve: no such file or directory \(ENOENT\)/,
  ],
];

for (const [how, hooks, message] of FAILURES) {
  for (const kind of [
    "prestart",
    "createRuntime",
    "createContainer",
    "startContainer",
    "poststart",
  ] as const) {
    if (how === "a timeout" && kind !== "createRuntime" && kind !== "startContainer") continue;
    test(`a ${kind} hook that fails with ${how} fails the start, and nothing is left`, can, async () => {
      await assert.rejects(
        scene.start(
          `fails-${kind}-${how.replaceAll(" ", "-")}`,
          shell("sleep 1000"),
          wanted({ [kind]: hooks }),
        ),
        message,
      );
      await scene.quiet();
      assert.deepEqual(scene.cgroups(), []);
    });
  }
}

test("what runs after a failed hook does not run", can, async () => {
  const marker = join(bundle, "marker");
  rmSync(marker, { force: true });
  const touch = { path: "/bin/touch", args: ["touch", marker] };
  await assert.rejects(
    scene.start(
      "order",
      shell("true"),
      wanted({ prestart: [{ path: "/bin/false" }, touch], createRuntime: [touch] }),
    ),
  );
  assert.throws(() => readFileSync(marker));
});

test("a startContainer hook may no more than the workload", can, async () => {
  const { stdout } = await scene.do(
    shell("cat /tmp/hook; grep -e CapEff -e CapBnd -e Seccomp: -e NoNew /proc/self/status"),
    wanted(
      {
        startContainer: [
          {
            path: "/bin/sh",
            args: ["sh", "-c", "grep -e CapEff -e CapBnd -e Seccomp: -e NoNew /proc/self/status >/tmp/hook"],
          },
        ],
      },
      {
        process: { noNewPrivileges: true, user: { uid: 1000, gid: 1000 } },
        linux: {
          seccomp: {
            defaultAction: "SCMP_ACT_ALLOW",
            syscalls: [{ names: ["swapon"], action: "SCMP_ACT_ERRNO" }],
          },
        },
      },
    ),
  );
  const lines = stdout.trim().split("\n");
  assert.equal(lines.length, 8, stdout);
  assert.deepEqual(lines.slice(0, 4), lines.slice(4));
});

test("a state of a megabyte reaches its hook, and one that does not read it is no failure", can, async () => {
  const long = "x".repeat(1 << 20);
  const request = wanted({ createRuntime: [note("long"), { path: "/bin/true" }] });
  const { exit } = await scene.do(shell("true"), { ...request, annotations: { long } });
  assert.equal(exit.code, 0);
  assert.equal((JSON.parse(said("long.json")) as { annotations: { long: string } }).annotations.long, long);
  writeFileSync(join(bundle, "long.json"), "");
});

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Seccomp } from "../../../src/oci/runtime/seccomp.ts";
import { busyboxMissing } from "../../support/fixtures.ts";
import { agent } from "../../support/listener.ts";
import { statusOf } from "../../support/process.ts";
import { needs, program, root } from "../../support/skip.ts";
import { makeScene, type Scene, shell, type Wanted } from "./scene.ts";

// System calls are handed to the listener that the policy names.

const can = { ...needs(root(), busyboxMissing(), program("python3", "python3")), timeout: 30_000 };
let scene: Scene;
let bundle: string;

before(async () => {
  if (can.skip !== undefined) return;
  scene = await makeScene();
  bundle = join(scene.directory, "bundle");
  mkdirSync(join(bundle, "rootfs"), { recursive: true });
});
after(() => scene?.[Symbol.asyncDispose]());

const policy = (path: string, more: Partial<Seccomp> = {}): Seccomp => ({
  defaultAction: "SCMP_ACT_ALLOW",
  listenerPath: path,
  listenerMetadata: 'some "metadata"',
  syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_NOTIFY" }],
  ...more,
});

const wanted = (seccomp: Seccomp, more: Wanted = {}): Wanted => ({
  ...more,
  annotations: { "com.example": "1" },
  linux: { seccomp },
  request: { ...more.request, bundle: { id: "box", path: bundle, root: join(bundle, "rootfs") } },
});

const KINDS: Readonly<Record<string, Wanted>> = {
  "a plain container": {},
  "a container without new privileges": {
    process: { noNewPrivileges: true, user: { uid: 1000, gid: 1000 } },
  },
  "own users": { namespaces: ["user"] },
  "a terminal": { process: { terminal: true } },
  "an init": { request: { init: true } },
};

for (const [kind, more] of Object.entries(KINDS)) {
  test(`${kind}: calls go to the listener, with the state of the container`, can, async () => {
    const path = join(scene.directory, "agent.sock");
    const { lines, process } = agent(path, 1);
    try {
      assert.equal((await lines.next()).value, "ready");
      const { running, stdout } = await scene.do(
        shell("mkdir /tmp/a; mkdir /tmp/b && echo second; true"),
        wanted(
          policy(path, { flags: ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", "SECCOMP_FILTER_FLAG_TSYNC"] }),
          more,
        ),
      );
      // The first is answered; then the listener is gone, and the call with it.
      assert.match(stdout, kind === "a terminal" ? /No medium found[\s\S]*not implemented/ : /^$/);
      const state = JSON.parse(String((await lines.next()).value)) as { pid: number };
      assert.deepEqual(state, {
        ociVersion: "1.2.0",
        fds: ["seccompFd"],
        pid: state.pid,
        metadata: 'some "metadata"',
        state: {
          ociVersion: "1.2.0",
          id: "box",
          status: "creating",
          pid: state.pid,
          bundle,
          annotations: { "com.example": "1" },
        },
      });
      assert.equal(state.pid, running.pid);
    } finally {
      process.kill();
    }
  });
}

test("the answer is the listener's", can, async () => {
  const path = join(scene.directory, "agent.sock");
  const { lines, process } = agent(path, 1);
  try {
    await lines.next();
    const { stderr } = await scene.do(shell("mkdir /tmp/a; mkdir /tmp/b; true"), wanted(policy(path)));
    assert.match(stderr, /No medium found\n[\s\S]*Function not implemented\n/);
  } finally {
    process.kill();
  }
});

test("without a listener the start fails, by its name, and nothing is left", can, async () => {
  const path = join(scene.directory, "nobody.sock");
  await assert.rejects(
    scene.start("nobody", shell("true"), wanted(policy(path))),
    new RegExp(
      `Cannot hand system calls to the listener of the policy: connect: .*ENOENT\\); a listener must wait at the socket ${path}`,
    ),
  );
  await scene.quiet();
  assert.deepEqual(scene.cgroups(), []);
  await assert.rejects(
    scene.start("long", shell("true"), wanted(policy(`/${"x".repeat(120)}`))),
    /linux\.seccomp\.listenerPath: a socket's path has at most 107 bytes/,
  );
});

test("a listener that nobody is handed a call to is not looked for", can, async () => {
  const none = { defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/no/such/socket" } as const;
  const running = await scene.start("unused", shell("exec sleep 1000"), wanted(none));
  assert.equal(statusOf(running.pid, "Seccomp"), "2");
  running.signal(9);
  await scene.finish(running);
});

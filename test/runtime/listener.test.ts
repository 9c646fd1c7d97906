import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { busyboxMissing } from "../support/fixtures.ts";
import { agent } from "../support/listener.ts";
import { needs, program, root } from "../support/skip.ts";
import { makeScene, untilStatus } from "./scene.ts";

test("calls of a created container and of an exec go to the policy's listener", {
  ...needs(root(), busyboxMissing(), program("python3")),
  timeout: 60_000,
}, async () => {
  await using scene = makeScene();
  const { cais, directory } = scene;
  const path = join(directory, "agent.sock");
  const { lines, process } = agent(path, 2);
  const told = async () => {
    const { value } = await lines.next();
    return JSON.parse(String(value)) as {
      pid: number;
      metadata: string;
      fds: string[];
      state: { id: string };
    };
  };
  try {
    assert.equal((await lines.next()).value, "ready");
    const bundle = scene.bundle("heard", {
      args: ["sh", "-c", "mkdir /a 2>/says; exec sleep 1000"],
      linux: {
        seccomp: {
          defaultAction: "SCMP_ACT_ALLOW",
          listenerPath: path,
          listenerMetadata: "x=y",
          syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_NOTIFY" }],
        },
      },
    });
    await cais.ok(["create", "--bundle", bundle, "heard"]);
    const { pid } = await cais.state("heard");
    const first = await told();
    assert.deepEqual(
      [first.pid, first.metadata, first.fds, first.state.id],
      [pid, "x=y", ["seccompFd"], "heard"],
    );
    await cais.ok(["start", "heard"]);
    const exec = await cais.run(["exec", "heard", "sh", "-c", "cat /says; mkdir /b"]);
    assert.equal(exec.code, 1);
    assert.match(exec.stdout, /'\/a': No medium found/);
    assert.match(exec.stderr, /'\/b': No medium found/);
    assert.notEqual((await told()).pid, pid);
    await cais.ok(["kill", "heard", "KILL"]);
    await untilStatus(cais, "heard", "stopped");
    await cais.ok(["delete", "heard"]);
  } finally {
    process.kill();
  }
});

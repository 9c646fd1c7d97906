import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Namespace } from "../../src/oci/runtime/linux.ts";
import { busyboxMissing } from "../support/fixtures.ts";
import { needs, program, root } from "../support/skip.ts";
import { makeScene, type Scene, untilStatus } from "./scene.ts";

// runtime-tools' linux_ns_itype and linux_ns_path, and runc's host-mntns.bats: the usual mounts and hooks, in a mount
// namespace that is not the container's.

const possible = needs(root(), busyboxMissing(), program("unshare", "util-linux"));

const mountsOf = (pid: number | "self") => readFileSync(`/proc/${pid}/mountinfo`, "utf8");
const namespaceOf = (pid: number | "self", type: string) => readlinkSync(`/proc/${pid}/ns/${type}`);

async function lives(scene: Scene, namespaces: readonly Namespace[], holder: number | "self") {
  const { cais, directory } = scene;
  const said = join(directory, `said-${holder}`);
  const hook = (kind: string) => [{ path: "/bin/sh", args: ["sh", "-c", `echo ${kind} >>'${said}'`] }];
  const kinds = ["prestart", "createRuntime", "createContainer", "poststart", "poststop"];
  const bundle = scene.bundle("box", {
    args: ["sh", "-c", "touch /new; exec sleep 1000"],
    spec: { hooks: Object.fromEntries(kinds.map((kind) => [kind, hook(kind)])), hostname: "" },
    linux: { namespaces },
  });
  const before = mountsOf(holder);
  await cais.ok(["create", "--bundle", bundle, "box"]);
  await cais.ok(["start", "box"]);
  const { pid } = await cais.state("box");
  assert.equal(namespaceOf(pid, "mnt"), namespaceOf(holder, "mnt"));
  assert.equal(mountsOf(holder), before);
  const seen = await cais.ok([
    "exec",
    "--cwd",
    "/tmp",
    "box",
    "sh",
    "-c",
    "pwd; ls -d /new; wc -c </proc/keys",
  ]);
  assert.equal(seen, "/tmp\n/new\n0\n");
  await cais.ok(["kill", "box", "KILL"]);
  await untilStatus(cais, "box", "stopped");
  await cais.ok(["delete", "box"]);
  assert.equal(mountsOf(holder), before);
  assert.deepEqual(readFileSync(said, "utf8").trim().split("\n"), kinds);
  assert.deepEqual(scene.cgroups(), []);
}

test(
  "a container without any namespace of its own is in the caller's, and mounts nothing there",
  possible,
  async () => {
    await using scene = makeScene();
    await lives(scene, [], "self");
    for (const type of ["pid", "net", "ipc", "uts", "cgroup", "user"]) {
      const bundle = scene.bundle("look", {
        args: ["readlink", `/proc/self/ns/${type}`],
        spec: { hostname: "" },
        linux: { namespaces: [] },
      });
      const seen = await scene.cais.ok(["run", "--bundle", bundle, "look"]);
      assert.equal(seen.trim(), namespaceOf("self", type));
    }
  },
);

test(
  "one that joins a mount namespace has its own root in it, and mounts nothing there",
  possible,
  async () => {
    await using scene = makeScene();
    const other = spawn("unshare", ["--mount", "sh", "-c", "echo up; exec sleep 1000"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(other.stdout, "data");
    try {
      const pid = other.pid ?? 0;
      const path = `/proc/${pid}/ns/mnt`;
      await lives(scene, [{ type: "pid" }, { type: "mount", path }], pid);
    } finally {
      other.kill("SIGKILL");
    }
  },
);

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chownSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { busyboxMissing, busyboxTar } from "../support/fixtures.ts";
import { readCgroup } from "../support/process.ts";
import { needs, program, root } from "../support/skip.ts";
import { AS_USER, makeScene, removeEmpty, USER, usersDenied } from "./scene.ts";

const possible = needs(root(), busyboxMissing(), program("podman"), program("script", "bsdutils"));

/** What podman leaves wherever it runs: its locks, and plain directories where a hierarchy is not mounted. */
const leavings = () => globSync(["/dev/shm/libpod_*", "/sys/fs/cgroup/*", "/sys/fs/cgroup/*/cais-podman-*"]);

function removeLeavings(before: readonly string[]): void {
  const isCgroup = (path: string) => existsSync(join(path, "cgroup.procs"));
  for (const path of leavings())
    if (!before.includes(path) && !isCgroup(path)) rmSync(path, { recursive: true, force: true });
}

test(
  "podman drives it: run, exec, terminal, limits, pause, kill, and its own clean-up",
  possible,
  async () => {
    await using scene = makeScene();
    const home = mkdtempSync(join(tmpdir(), "cais-podman-"));
    const before = leavings();
    const parent = `/cais-podman-${process.pid}`;
    const global = [
      ...["--root", join(home, "root"), "--runroot", join(home, "run"), "--tmpdir", join(home, "tmp")],
      ...["--cgroup-manager", "cgroupfs", "--events-backend", "none", "--runtime", scene.program],
    ];
    const podman = (...args: string[]) => {
      const result = spawnSync("podman", [...global, ...args], { encoding: "utf8" });
      return { code: result.status, out: result.stdout, err: result.stderr };
    };
    const terminal = (...args: string[]) => {
      const line = ["podman", ...global, ...args].map((word) => `'${word}'`).join(" ");
      return spawnSync("script", ["-qec", line, "/dev/null"], { encoding: "utf8", input: "" }).stdout;
    };
    try {
      assert.equal(podman("import", "-q", busyboxTar(), "busybox").code, 0);
      // It asks for more than some machines allow root to have.
      const how = [
        "--ulimit",
        "nofile=1024:1024",
        "--ulimit",
        "nproc=1000:1000",
        "--network",
        "none",
        "--cgroup-parent",
        parent,
      ];
      const hello = podman("run", "--rm", ...how, "busybox", "echo", "hello");
      assert.deepEqual({ code: hello.code, out: hello.out }, { code: 0, out: "hello\n" }, hello.err);
      assert.equal(podman("run", "--rm", ...how, "busybox", "sh", "-c", "exit 9").code, 9);
      assert.equal(podman("run", "--rm", ...how, "busybox", "nope").code, 127);

      assert.equal(
        podman("run", "-d", "--name", "p", "--memory", "64m", ...how, "busybox", "sleep", "1000").code,
        0,
      );
      const exec = podman("exec", "p", "sh", "-c", "cat /proc/1/comm; exit 4");
      assert.deepEqual({ code: exec.code, out: exec.out }, { code: 4, out: "sleep\n" }, exec.err);
      assert.equal(podman("exec", "p", "nope").code, 127);
      assert.match(terminal("exec", "-it", "p", "tty"), /\/dev\/pts\/0/);
      assert.match(podman("stats", "--no-stream", "p").out, /67\.11MB/);
      assert.equal(podman("update", "--memory", "80m", "p").code, 0);
      // Its own statistics go on showing the limit that it was created with.
      const pid = Number(podman("inspect", "--format", "{{.State.Pid}}", "p").out);
      const memory = readCgroup(pid, "memory", { v1: "memory.limit_in_bytes", v2: "memory.max" });
      assert.equal(memory, String(80 << 20));
      assert.equal(podman("pause", "p").code, 0);
      assert.match(podman("inspect", "--format", "{{.State.Status}}", "p").out, /^paused/);
      assert.equal(podman("unpause", "p").code, 0);
      assert.equal(podman("kill", "p").code, 0);
      assert.equal(podman("wait", "p").out, "137\n");
      assert.equal(podman("rm", "-f", "p").code, 0);
      // podman may lose the last words of a terminal that ends as soon as it has said them.
      assert.match(
        terminal("run", "--rm", "-it", ...how, "busybox", "sh", "-c", "tty; ls -l /dev/console; sleep 1"),
        /\/dev\/pts\/0[\s\S]*crw/,
      );
      assert.deepEqual(globSync(`/sys/fs/cgroup{,/*}${parent}/libpod*/`), [], "no cgroup is left");
    } finally {
      podman("rm", "-fa");
      // It leaves its store mounted upon itself.
      spawnSync("umount", [join(home, "root/overlay")]);
      for (const each of [`${parent}/conmon`, parent])
        for (const cgroup of globSync(`/sys/fs/cgroup{,/*}${each}`)) removeEmpty(cgroup);
      removeLeavings(before);
      rmSync(home, { recursive: true, force: true });
    }
  },
);

test(
  "podman of a user without privileges drives it, as root of a user namespace",
  needs(root(), busyboxMissing(), program("podman"), program("setpriv", "util-linux"), usersDenied()),
  async () => {
    await using scene = makeScene();
    const before = leavings();
    const home = mkdtempSync(join(tmpdir(), "cais-podman-"));
    mkdirSync(join(home, "xdg"), { mode: 0o700 });
    for (const path of [home, join(home, "xdg"), scene.rootfs, join(scene.rootfs, "etc")])
      chownSync(path, USER, USER);
    const env = { HOME: home, XDG_RUNTIME_DIR: join(home, "xdg"), PATH: process.env.PATH ?? "" };
    const how = ["--network", "none", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000"];
    const podman = (...args: string[]) => {
      const line = [
        ...[...AS_USER, "podman", "--root", join(home, "root"), "--runroot", join(home, "run")],
        ...["--cgroup-manager", "cgroupfs", "--events-backend", "none", "--storage-driver", "vfs"],
        ...["--runtime", scene.program, ...args],
      ];
      const result = spawnSync("setpriv", line, { encoding: "utf8", env, cwd: home });
      return { code: result.status, out: result.stdout, err: result.stderr };
    };
    try {
      const map = podman(
        "run",
        "--rm",
        ...how,
        "--rootfs",
        scene.rootfs,
        "sh",
        "-c",
        "id -u; cat /proc/self/uid_map",
      );
      assert.deepEqual(map.out.trim().split(/\s+/), ["0", "0", String(USER), "1"], map.err);
      assert.equal(podman("run", "--rm", ...how, "--rootfs", scene.rootfs, "sh", "-c", "exit 9").code, 9);
      const started = podman("run", "-d", "--name", "p", ...how, "--rootfs", scene.rootfs, "sleep", "1000");
      assert.equal(started.code, 0, started.err);
      const exec = podman("exec", "p", "sh", "-c", "cat /proc/1/comm; exit 4");
      assert.deepEqual({ code: exec.code, out: exec.out }, { code: 4, out: "sleep\n" }, exec.err);
      assert.equal(podman("exec", "p", "nope").code, 127);
      assert.equal(podman("kill", "p").code, 0);
      assert.equal(podman("wait", "p").out, "137\n");
      assert.equal(podman("rm", "-f", "p").code, 0);
    } finally {
      podman("rm", "-fa");
      // It leaves a process behind that holds its user namespace.
      for (const file of globSync(join(home, "xdg/**/pause.pid")))
        process.kill(Number(readFileSync(file, "utf8")));
      removeLeavings(before);
      rmSync(home, { recursive: true, force: true });
    }
  },
);

import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { busyboxMissing } from "../support/fixtures.ts";
import { needs, program, root } from "../support/skip.ts";
import { makeScene, untilText } from "./scene.ts";

const possible = needs(
  root(),
  busyboxMissing(),
  program("containerd"),
  program("ctr", "containerd"),
  program("script", "bsdutils"),
);

/** A containerd of our own, whose run-time state and network nobody else sees. */
async function startContainerd(directory: string) {
  const config = join(directory, "config.toml");
  const socket = join(directory, "sock");
  writeFileSync(
    config,
    `version = 2
root = "${directory}/root"
state = "${directory}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs"]
[grpc]
  address = "${socket}"
[ttrpc]
  address = "${socket}.ttrpc"
`,
  );
  const script = `mount -t tmpfs none /run; exec setpriv --pdeathsig TERM containerd -c '${config}'`;
  const child = spawn("unshare", ["-n", "-m", "sh", "-c", script], { stdio: ["ignore", "ignore", "pipe"] });
  await booted(child);
  const inside = ["nsenter", "-t", String(child.pid), "-m", "-n", "ctr", "--address", socket];
  const ctr = (...args: string[]) => {
    const result = spawnSync(inside[0] ?? "", [...inside.slice(1), ...args], { encoding: "utf8" });
    return { code: result.status, out: result.stdout, err: result.stderr };
  };
  const terminal = (...args: string[]) => {
    const line = [...inside, ...args].map((word) => `'${word}'`).join(" ");
    return spawnSync("script", ["-qec", line, "/dev/null"], { encoding: "utf8", input: "" }).stdout;
  };
  return {
    ctr,
    terminal,
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    },
  };
}

async function booted(child: ChildProcess): Promise<void> {
  let said = "";
  for await (const chunk of child.stderr ?? []) {
    said += String(chunk);
    if (said.includes("successfully booted")) return void child.stderr?.resume();
  }
  throw new Error(`Cannot start containerd: ${said.slice(-500)}`);
}

test(
  "containerd drives it: run, exec, terminal, limits, pause, kill, and its own clean-up",
  possible,
  async () => {
    await using scene = makeScene();
    // Unix sockets have short names.
    const directory = mkdtempSync("/tmp/cais-ctd-");
    try {
      await using containerd = await startContainerd(directory);
      const { ctr, terminal } = containerd;
      const how = ["--runtime", "io.containerd.runc.v2", "--runc-binary", scene.program];
      const run = (id: string, command: readonly string[], ...options: string[]) =>
        ctr(
          "run",
          ...how,
          ...options,
          "--cgroup",
          `/${id}-${process.pid}`,
          "--rootfs",
          scene.rootfs,
          id,
          ...command,
        );

      assert.deepEqual(run("hello", ["echo", "hello"], "--rm"), { code: 0, out: "hello\n", err: "" });
      const missing = run("missing", ["nope"], "--rm");
      assert.match(
        missing.err,
        /OCI runtime create failed: .*exec: "nope": executable file not found in \$PATH/,
      );
      assert.equal(run("seven", ["sh", "-c", "exit 7"], "--rm").code, 7);

      assert.deepEqual(run("stays", ["sleep", "1000"], "--detach", "--memory-limit", "67108864"), {
        code: 0,
        out: "",
        err: "",
      });
      assert.match(ctr("task", "ls").out, /stays +\d+ +RUNNING/);
      assert.match(
        ctr("task", "metrics", "stays").out,
        /(memory\.limit_in_bytes|memory\.usage_limit) +67108864/,
      );
      const exec = ctr("task", "exec", "--exec-id", "e", "stays", "sh", "-c", "cat /proc/1/comm; exit 3");
      assert.deepEqual({ code: exec.code, out: exec.out }, { code: 3, out: "sleep\n" });
      assert.match(terminal("task", "exec", "-t", "--exec-id", "t", "stays", "tty"), /\/dev\/pts\/0/);
      assert.equal(ctr("task", "pause", "stays").code, 0);
      assert.match(ctr("task", "ls").out, /stays +\d+ +PAUSED/);
      assert.equal(ctr("task", "resume", "stays").code, 0);
      assert.equal(ctr("task", "kill", "-s", "KILL", "stays").code, 0);
      await untilText(
        () => ctr("task", "ls").out,
        (text) => /stays +\d+ +STOPPED/.test(text),
      );
      assert.match(ctr("task", "delete", "stays").err, /exit with non-zero exit code 137/);
      assert.equal(ctr("container", "rm", "stays").code, 0);
      assert.match(
        terminal(
          "run",
          "--rm",
          "-t",
          ...how,
          "--cgroup",
          `/tty-${process.pid}`,
          "--rootfs",
          scene.rootfs,
          "tty",
          "sh",
          "-c",
          "tty; ls -l /dev/console",
        ),
        /\/dev\/pts\/0\s+crw/,
      );
      assert.deepEqual(globSync(`/sys/fs/cgroup{,/*}/*-${process.pid}/`), [], "no cgroup is left");
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
);

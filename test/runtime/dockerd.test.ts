import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { startDockerd } from "../../tools/peers/dockerd.ts";
import { installDocker } from "../../tools/peers/packages.ts";
import { busyboxMissing, busyboxTar } from "../support/fixtures.ts";
import { needs, root } from "../support/skip.ts";
import { makeScene } from "./scene.ts";

const possible = needs(root(), busyboxMissing(), root() ?? installDocker());

test(
  "dockerd drives it: run, exec, terminal, limits, pause, kill, and its own clean-up",
  possible,
  async () => {
    await using scene = makeScene();
    await using daemon = await startDockerd(undefined, ["--add-runtime", `cais=${scene.program}`]);
    daemon.import(busyboxTar(), "busybox");
    const docker = (...args: string[]) => {
      const result = spawnSync("docker", args, { env: daemon.env, encoding: "utf8" });
      return { code: result.status, out: result.stdout, err: result.stderr };
    };
    const terminal = (...args: string[]) => {
      const line = ["docker", ...args].map((word) => `'${word}'`).join(" ");
      return spawnSync("script", ["-qec", line, "/dev/null"], {
        env: daemon.env,
        encoding: "utf8",
        input: "",
      }).stdout;
    };
    const how = ["--runtime", "cais", "--network", "none"];
    const run = (...args: string[]) => docker("run", "--rm", ...how, "busybox", ...args);

    assert.deepEqual(run("echo", "hello"), { code: 0, out: "hello\n", err: "" });
    assert.equal(run("sh", "-c", "exit 9").code, 9);
    assert.equal(run("nope").code, 127);
    assert.equal(run("/etc").code, 126);
    // The network's hook finds the container's namespace by the state on its standard input.
    const bridged = docker("run", "--rm", "--runtime", "cais", "busybox", "ip", "-o", "addr", "show", "eth0");
    assert.match(bridged.out, /inet \d+\.\d+\.\d+\.\d+/, bridged.err);
    const started = docker(
      "run",
      "-d",
      "--name",
      "dd",
      "--memory",
      "64m",
      ...how,
      "busybox",
      "sleep",
      "1000",
    );
    assert.equal(started.code, 0, started.err);
    const exec = docker(
      "exec",
      "--user",
      "1000",
      "dd",
      "sh",
      "-c",
      "id -u; echo again > /dev/stdout; exit 4",
    );
    assert.deepEqual({ code: exec.code, out: exec.out }, { code: 4, out: "1000\nagain\n" }, exec.err);
    assert.equal(docker("exec", "dd", "nope").code, 127);
    assert.match(terminal("exec", "-it", "dd", "tty"), /\/dev\/pts\/0/);
    assert.match(docker("stats", "--no-stream", "dd").out, /64MiB/);
    assert.equal(docker("update", "--memory", "80m", "--memory-swap", "80m", "dd").code, 0);
    assert.match(docker("stats", "--no-stream", "dd").out, /80MiB/);
    assert.equal(docker("pause", "dd").code, 0);
    assert.match(docker("ps").out, /\(Paused\)/);
    assert.equal(docker("unpause", "dd").code, 0);
    assert.match(docker("top", "dd").out, /sleep 1000/);
    assert.equal(docker("kill", "dd").code, 0);
    assert.equal(docker("wait", "dd").out, "137\n");
    assert.equal(docker("rm", "-f", "dd").code, 0);
    assert.match(
      terminal("run", "--rm", "-it", ...how, "busybox", "sh", "-c", "tty; ls -l /dev/console; exit 3"),
      /\/dev\/pts\/0[\s\S]*crw/,
    );
  },
);

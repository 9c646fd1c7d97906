import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Namespace } from "../../src/oci/runtime/linux.ts";
import { busyboxMissing } from "../support/fixtures.ts";
import { needs, root } from "../support/skip.ts";
import { makeScene, untilStatus, untilText } from "./scene.ts";

const possible = needs(root(), busyboxMissing());
const capabilities = (pid: number | "self", file = `/proc/${pid}/status`) =>
  /^CapEff:\t([0-9a-f]+)$/m.exec(readFileSync(file, "utf8"))?.[1];

test(
  "run in the foreground has the caller's streams, signals and exit code, and leaves nothing",
  possible,
  async () => {
    await using scene = makeScene();
    const { cais } = scene;
    const echo = scene.bundle("echo", { args: ["sh", "-c", "cat; echo error >&2; exit 5"] });
    const ended = await cais.run(["run", "--bundle", echo, "echo"], { input: "through\n" });
    assert.deepEqual(ended, { code: 5, stdout: "through\n", stderr: "error\n" });

    const waits = scene.bundle("waits", {
      args: ["sh", "-c", 'trap "echo asked; exit 3" TERM; echo ready; while :; do sleep 0.1; done'],
    });
    const pidFile = join(scene.directory, "pid");
    const asked = await cais.run(["run", "--pid-file", pidFile, "--bundle", waits, "waits"], {
      started: async (child) => {
        await untilText(
          () => (existsSync(pidFile) ? readFileSync(pidFile, "utf8") : ""),
          (text) => text !== "",
        );
        // The trap is set before it says so; that goes to a file which only the end shows.
        await new Promise((resolve) => setTimeout(resolve, 500));
        child.kill("SIGTERM");
      },
    });
    assert.deepEqual(asked, { code: 3, stdout: "ready\nasked\n", stderr: "" });
    assert.equal(await cais.ok(["list", "--quiet"]), "");
    assert.deepEqual(scene.cgroups(), []);
  },
);

test("run --detach and --keep leave the container", possible, async () => {
  await using scene = makeScene();
  const { cais } = scene;
  await cais.ok(["run", "--detach", "--bundle", scene.bundle("d"), "d"]);
  assert.equal((await cais.state("d")).status, "running");
  await cais.ok(["run", "--keep", "--bundle", scene.bundle("k", { args: ["true"] }), "k"]);
  assert.equal((await cais.state("k")).status, "stopped");
  await cais.ok(["delete", "k"]);
});

test("exec joins with what its process says", possible, async () => {
  await using scene = makeScene();
  const { cais } = scene;
  await cais.ok(["run", "--detach", "--bundle", scene.bundle("e"), "e"]);
  const said = async (...args: string[]) => (await cais.ok(["exec", ...args])).trim();
  assert.equal(
    await said(
      "--user",
      "1000:29",
      "--cwd",
      "/tmp",
      "--env",
      "A=b",
      "e",
      "sh",
      "-c",
      "id -u; id -g; pwd; echo $A",
    ),
    "1000\n29\n/tmp\nb",
  );
  assert.match(await said("--additional-gids", "29", "e", "id", "-G"), /29/);
  assert.equal(
    await said("--cap", "CAP_SYS_TIME", "e", "grep", "CapEff", "/proc/self/status"),
    "CapEff:\t0000000022000420",
  );
  assert.equal(await said("e", "cat", "/proc/1/comm"), "sleep");
  assert.equal((await cais.run(["exec", "e", "sh", "-c", "exit 9"])).code, 9);

  const pidFile = join(scene.directory, "exec.pid");
  const file = join(scene.directory, "process.json");
  const process = {
    user: { uid: 1000, gid: 1000 },
    args: ["sleep", "777"],
    env: ["PATH=/bin"],
    cwd: "/",
    capabilities: {
      bounding: ["CAP_KILL"],
      effective: ["CAP_KILL"],
      permitted: ["CAP_KILL"],
      inheritable: ["CAP_KILL"],
      ambient: ["CAP_KILL"],
    },
  };
  writeFileSync(file, JSON.stringify(process));
  await cais.ok(["exec", "--process", file, "--detach", "--pid-file", pidFile, "e"]);
  const pid = Number(readFileSync(pidFile, "utf8"));
  assert.equal(readFileSync(`/proc/${pid}/cmdline`, "utf8"), "sleep\u0000777\u0000");
  assert.equal(capabilities(pid), "0000000000000020");
  const pids = JSON.parse(await cais.ok(["ps", "--format", "json", "e"])) as number[];
  assert.deepEqual(pids.sort(), [(await cais.state("e")).pid, pid].sort());
  assert.match(await cais.ok(["ps", "e"]), /^UID .*PID[\s\S]* sleep 777$/m);
  await cais.ok(["kill", "--all", "e", "KILL"]);
  await untilStatus(cais, "e", "stopped");
});

test("exec enters the users of a container, made for it or joined", possible, async () => {
  await using scene = makeScene();
  const { cais } = scene;
  const namespaces = ["pid", "network", "ipc", "uts", "mount", "cgroup"].map(
    (type) => ({ type }) as Namespace,
  );
  const range = [{ containerID: 0, hostID: 200_000, size: 65_536 }];
  const own = scene.bundle("own", {
    linux: { namespaces: [...namespaces, { type: "user" }], uidMappings: range, gidMappings: range },
  });
  await cais.ok(["run", "--detach", "--bundle", own, "own"]);
  const { pid } = await cais.state("own");
  const joined = scene.bundle("joined", {
    linux: { namespaces: [...namespaces, { type: "user", path: `/proc/${pid}/ns/user` }] },
  });
  await cais.ok(["run", "--detach", "--bundle", joined, "joined"]);
  for (const id of ["own", "joined"]) {
    const map = await cais.ok(["exec", id, "sh", "-c", "id -u; cat /proc/self/uid_map"]);
    assert.deepEqual(map.trim().split(/\s+/), ["0", "0", "200000", "65536"], id);
    const file = join(scene.directory, `${id}.pid`);
    await cais.ok(["exec", "--detach", "--pid-file", file, id, "sleep", "500"]);
    const status = readFileSync(`/proc/${readFileSync(file, "utf8")}/status`, "utf8");
    assert.match(status, /^Uid:\t200000\t/m);
  }
});

test("descriptors that the caller asks for are handed on, no other", possible, async () => {
  await using scene = makeScene();
  const bundle = scene.bundle("fds", { args: ["sh", "-c", "cat <&3; ls /proc/self/fd"] });
  const file = join(scene.directory, "three");
  writeFileSync(file, "from descriptor three\n");
  const [three, four] = [openSync(file, "r"), openSync(file, "r")];
  const result = spawnSync(
    scene.program,
    ["--root", scene.cais.root, "run", "--preserve-fds", "1", "--bundle", bundle, "fds"],
    { stdio: ["ignore", "pipe", "pipe", three, four], encoding: "utf8" },
  );
  // The last one is the directory that ls reads.
  assert.equal(result.stdout, "from descriptor three\n0\n1\n2\n3\n4\n", result.stderr);
  // sd_listen_fds(3): only if they are meant for this process.
  const listens = scene.bundle("listens", {
    args: ["sh", "-c", "echo $LISTEN_FDS $LISTEN_PID; ls /proc/self/fd"],
  });
  for (const [pid, expected] of [
    ["$$", "1 1\n0\n1\n2\n3\n4\n"],
    ["1", "\n0\n1\n2\n3\n"],
  ] as const) {
    const line = `LISTEN_PID=${pid} LISTEN_FDS=1 exec '${scene.program}' --root '${scene.cais.root}' run --bundle '${listens}' fds`;
    const told = spawnSync("sh", ["-c", line], {
      stdio: ["ignore", "pipe", "pipe", three],
      encoding: "utf8",
    });
    assert.equal(told.stdout, expected, told.stderr);
  }
  for (const each of [three, four]) closeSync(each);
});

test("the limit of open files is the caller's unless the configuration has one", possible, async () => {
  await using scene = makeScene();
  const bundle = scene.bundle("limit", { args: ["sh", "-c", "ulimit -Sn"], process: { rlimits: [] } });
  const signals = scene.bundle("signals", { args: ["grep", "-E", "SigIgn|SigBlk", "/proc/self/status"] });
  const run = (path: string) => `'${scene.program}' --root '${scene.cais.root}' run --bundle '${path}' limit`;
  // The shell stays as the parent: its limit is the one that is asked for.
  const lines = ["ulimit -Sn 345", run(bundle), run(signals), "exit $?"];
  const result = spawnSync("sh", ["-c", lines.join("\n")], { encoding: "utf8" });
  const none = "0000000000000000";
  assert.equal(result.stdout, `345\nSigBlk:\t${none}\nSigIgn:\t${none}\n`, result.stderr);
});

test("hooks run at their times with the container's state; one that fails is told", possible, async () => {
  await using scene = makeScene();
  const { cais, directory } = scene;
  mkdirSync(join(directory, "said"));
  const hook = (kind: string) => ({
    path: "/bin/sh",
    args: ["sh", "-c", `cat > '${directory}/said/${kind}'; echo ${kind} >> '${directory}/said/order'`],
  });
  const bundle = scene.bundle("hooked", {
    args: ["sh", "-c", "exec sleep 1000"],
    spec: {
      hooks: {
        createRuntime: [hook("createRuntime")],
        poststart: [hook("poststart")],
        poststop: [hook("poststop")],
      },
    },
  });
  const order = () => readFileSync(join(directory, "said/order"), "utf8").trim().split("\n");
  const state = (kind: string) =>
    JSON.parse(readFileSync(join(directory, "said", kind), "utf8")) as Record<string, unknown>;
  await cais.ok(["create", "--bundle", bundle, "hooked"]);
  const { pid } = await cais.state("hooked");
  assert.deepEqual(order(), ["createRuntime"]);
  assert.deepEqual(
    { ...state("createRuntime"), ociVersion: "" },
    { ociVersion: "", id: "hooked", status: "creating", pid, bundle },
  );
  await cais.ok(["start", "hooked"]);
  assert.deepEqual(order(), ["createRuntime", "poststart"]);
  assert.equal(state("poststart").status, "running");
  await cais.ok(["delete", "--force", "hooked"]);
  assert.deepEqual(order(), ["createRuntime", "poststart", "poststop"]);
  assert.equal(state("poststop").status, "stopped");

  const fails = scene.bundle("fails", {
    spec: {
      hooks: { createRuntime: [{ path: "/bin/sh", args: ["sh", "-c", "echo it says why >&2; exit 4"] }] },
    },
  });
  const ended = await cais.run(["create", "--bundle", fails, "fails"]);
  assert.equal(ended.code, 1);
  assert.match(
    ended.stderr,
    /error running createRuntime hook #0: \/bin\/sh: exit status 4, output: it says why/,
  );
  assert.deepEqual(scene.cgroups(), [], "and nothing is left");
  assert.equal(await cais.ok(["list", "--quiet"]), "");
});

test("what fails at the start is told by start, and the container has stopped", possible, async () => {
  await using scene = makeScene();
  const { cais } = scene;
  writeFileSync(join(scene.rootfs, "script"), "#!/no/such/interpreter\n", { mode: 0o755 });
  await cais.ok(["create", "--bundle", scene.bundle("late", { args: ["/script"] }), "late"]);
  const ended = await cais.run(["start", "late"]);
  assert.equal(ended.code, 1);
  assert.match(
    ended.stderr,
    /unable to start container process: exec: .*\/script.*no such file or directory/,
  );
  await untilStatus(cais, "late", "stopped");
  await cais.ok(["delete", "late"]);
  for (const [hook, says] of [
    [{ path: "/bin/sh", args: ["sh", "-c", "exit 4"] }, "exit status 4"],
    [{ path: "/bin/sh", args: ["sh", "-c", "kill -9 $$"] }, "signal: killed"],
    [{ path: "/no/such" }, "it cannot be executed: no such file or directory"],
  ] as const) {
    const bundle = scene.bundle("hook", { spec: { hooks: { startContainer: [hook] } } });
    await cais.ok(["create", "--bundle", bundle, "hook"]);
    const failed = await cais.run(["start", "hook"]);
    assert.equal(failed.code, 1);
    assert.ok(
      failed.stderr.includes(`error running startContainer hook #0: ${hook.path}: ${says}`),
      failed.stderr,
    );
    await cais.ok(["delete", "--force", "hook"]);
  }
});

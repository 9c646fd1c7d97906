import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readLayout } from "../../src/cgroup/layout.ts";
import type { RuntimeSpec } from "../../src/oci/runtime/spec.ts";
import { busyboxMissing } from "../support/fixtures.ts";
import { needs, root } from "../support/skip.ts";
import { makeScene, told, untilStatus } from "./scene.ts";

const possible = needs(root(), busyboxMissing());

/** A `config.json`, and what the log says of it in one sentence. */
const REFUSED: readonly (readonly [config: unknown, says: RegExp])[] = [
  ["{", /it is not valid JSON$/],
  [[], /config\.json: it must be an object, not \[\]$/],
  [null, /it must be an object, not null$/],
  [{}, /ociVersion: it is missing/],
  [{ ociVersion: "2.0.0" }, /ociVersion: version 2\.0\.0 is not understood, only 1\.x/],
  [{ ociVersion: "0.5.0" }, /ociVersion: version 0\.5\.0 is not understood/],
  [{ ociVersion: "latest" }, /ociVersion: it must be a version/],
  [{ ociVersion: "1.0.0", windows: {} }, /windows: the configuration is for another system/],
  [{ ociVersion: "1.0.0" }, /root: it is missing/],
  [{ ociVersion: "1.0.0", root: {} }, /root\.path: it is missing/],
  [{ ociVersion: "1.0.0", root: { path: "rootfs" } }, /process: it is missing/],
];

test("a configuration that cannot be is one sentence in the log, and nothing is left", possible, async () => {
  await using scene = makeScene();
  const bundle = scene.bundle("bad");
  for (const [config, says] of REFUSED) {
    writeFileSync(join(bundle, "config.json"), typeof config === "string" ? config : JSON.stringify(config));
    const ended = await scene.cais.run(["create", "--bundle", bundle, "bad"]);
    assert.equal(ended.code, 1);
    assert.match(told(ended).trim(), says);
    assert.equal(ended.stderr.trim().split("\n").length, 1, ended.stderr);
  }
  const process = (more: object): Partial<RuntimeSpec["process"]> => more;
  const contradictions: readonly (readonly [Parameters<typeof scene.bundle>[1], RegExp])[] = [
    [{ process: process({ rlimits: [{ type: "RLIMIT_NOFILE", soft: 2, hard: 1 }] })! }, /rlimits\[0\]\.soft/],
    [{ linux: { namespaces: [{ type: "mount" }, { type: "mount" }] } }, /two of type mount/],
    [{ linux: { intelRdt: { closID: "x" } } }, /linux\.intelRdt: classes of cache/],
    [
      { linux: { sysctl: { "kernel.panic": "1" } } },
      /linux\.sysctl\.kernel\.panic: it belongs to the whole machine/,
    ],
    [{ linux: { uidMappings: [{ containerID: 0, hostID: 0, size: 1 }] } }, /linux\.uidMappings/],
    [{ linux: { resources: { memory: { limit: 1 << 22, swap: 1 << 20 } } } }, /memory\.swap/],
  ];
  for (const [index, [wanted, says]] of contradictions.entries()) {
    const ended = await scene.cais.run(["run", "--bundle", scene.bundle(`c${index}`, wanted), "bad"]);
    assert.equal(ended.code, 1);
    assert.match(told(ended), says);
  }
  assert.deepEqual(existsSync(scene.cais.root) ? readdirSync(scene.cais.root) : [], []);
  assert.deepEqual(scene.cgroups(), []);
});

test(
  "what is newer than we are, or unknown to the kernel, is a warning, and the container runs",
  possible,
  async () => {
    await using scene = makeScene();
    const base = { names: ["read"], action: "SCMP_ACT_ALLOW" } as const;
    const bundle = scene.bundle("new", {
      args: ["echo", "runs"],
      spec: { ociVersion: "1.99.0", novelty: { any: 1 } } as object,
      process: { capabilities: { bounding: ["CAP_KILL", "CAP_OF_TOMORROW"] } },
      linux: {
        seccomp: {
          defaultAction: "SCMP_ACT_ALLOW",
          syscalls: [base, { ...base, names: ["call_of_tomorrow"] }],
        },
      },
    });
    const ended = await scene.cais.run(["run", "--bundle", bundle, "new"]);
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(ended.stdout, "runs\n");
    for (const word of ["1\\.99\\.0", "novelty", "CAP_OF_TOMORROW"])
      assert.match(ended.stderr, new RegExp(`level=warning msg="[^\\n]*${word}`));
  },
);

test(
  "a bundle may vanish once the container is created, and the caller's own directory before",
  possible,
  async () => {
    await using scene = makeScene();
    const { cais } = scene;
    const bundle = scene.bundle("gone", { args: ["sleep", "1000"] });
    await cais.ok(["create", "--bundle", bundle, "gone"]);
    rmSync(bundle, { recursive: true });
    await cais.ok(["start", "gone"]);
    assert.equal((await cais.state("gone")).status, "running");
    assert.equal((await cais.ok(["exec", "gone", "echo", "in"])).trim(), "in");
    const left = mkdtempSync(join(tmpdir(), "cais-left-"));
    const script = `cd ${left}; rmdir ${left}; '${scene.program}' --root '${cais.root}' list --quiet`;
    const ended = spawnSync("sh", ["-c", script], { encoding: "utf8" });
    if (existsSync(left)) rmdirSync(left);
    assert.equal(ended.stdout, "gone\n", ended.stderr);
    assert.equal((await cais.run(["delete", "gone"])).code, 1, "it runs");
    await cais.ok(["delete", "--force", "gone"]);
    assert.deepEqual(scene.cgroups(), []);
  },
);

const { unified } = readLayout();
const version2 = unified === undefined ? "This machine has no cgroup v2 tree" : undefined;

test(
  "a frozen cgroup is refused: nothing in it would ever start",
  needs(root(), busyboxMissing(), version2),
  async () => {
    await using scene = makeScene();
    const { cais } = scene;
    const name = `/cais-frozen-${process.pid}`;
    const cgroup = join(unified?.path ?? "", name);
    mkdirSync(cgroup);
    try {
      writeFileSync(join(cgroup, "cgroup.freeze"), "1");
      const ended = await cais.run([
        "run",
        "--bundle",
        scene.bundle("one", { linux: { cgroupsPath: name } }),
        "one",
      ]);
      assert.equal(ended.code, 1);
      assert.match(told(ended), /container's cgroup unexpectedly frozen/);
    } finally {
      for (const each of globSync(`/sys/fs/cgroup{,/*}${name}`)) rmdirSync(each);
    }
  },
);

test(
  "without a pid namespace SIGKILL is for all of them, the first one's end for it alone",
  possible,
  async () => {
    await using scene = makeScene();
    const { cais } = scene;
    const namespaces = (["network", "ipc", "uts", "mount"] as const).map((type) => ({ type }));
    const bundle = scene.bundle("host", { linux: { namespaces } });
    const pids = async () => JSON.parse(await cais.ok(["ps", "--format", "json", "host"])) as number[] | null;
    await cais.ok(["run", "--detach", "--bundle", bundle, "host"]);
    await cais.ok(["exec", "--detach", "host", "sleep", "500"]);
    const { pid } = await cais.state("host");
    assert.equal((await pids())?.length, 2);
    process.kill(pid, "SIGKILL");
    await untilStatus(cais, "host", "stopped");
    assert.equal((await pids())?.length, 1);
    await cais.ok(["kill", "host", "KILL"]);
    for (let tries = 0; (await pids()) !== null && tries < 40; tries++)
      await new Promise((done) => setTimeout(done, 25));
    assert.equal(await pids(), null);
    await cais.ok(["delete", "host"]);
  },
);

test("what is paused can be killed, and then be deleted", possible, async () => {
  await using scene = makeScene();
  const { cais } = scene;
  await cais.ok(["run", "--detach", "--bundle", scene.bundle("p"), "p"]);
  await cais.ok(["pause", "p"]);
  await cais.ok(["kill", "p", "KILL"]);
  await untilStatus(cais, "p", "stopped");
  await cais.ok(["delete", "p"]);
});

test(
  "a tmpfs has the mode of the directory that it covers, unless the configuration names one",
  possible,
  async () => {
    await using scene = makeScene();
    const { cais, rootfs } = scene;
    mkdirSync(join(rootfs, "covered"));
    chmodSync(join(rootfs, "covered"), 0o2710);
    const modeOf = async (destination: string, options: readonly string[]) => {
      const tmpfs = { destination, type: "tmpfs", source: "tmpfs", options };
      const bundle = scene.bundle("m", {
        args: ["stat", "-c", "%a", destination],
        spec: { mounts: [tmpfs] },
      });
      return (await cais.ok(["run", "--bundle", bundle, "m"])).trim();
    };
    assert.equal(await modeOf("/covered", ["nosuid", "size=1m"]), "2710");
    assert.equal(await modeOf("/covered", ["mode=0410"]), "410");
    assert.equal(await modeOf("/covered", ["ro"]), "2710");
    assert.equal(await modeOf("/made", []), "1777");
  },
);

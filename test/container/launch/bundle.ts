import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Running } from "../../../src/container/launcher.ts";
import { readConfig } from "../../../src/oci/runtime/config.ts";
import type { RuntimeSpec } from "../../../src/oci/runtime/spec.ts";
import { busyboxTar } from "../../support/fixtures.ts";
import { type Finished, MOUNTS, type Scene, shell } from "./scene.ts";

/** OCI bundles: the same config.json for cais and for runc. */
export interface BundleScene {
  readonly scene: Scene;
  readonly path: string;
  readonly root: string;
  /** The configuration of a container that runs `script`, with `change` made to it. */
  config(script: string, change?: Change): RuntimeSpec;
  start(script: string, change?: Change): Promise<Running>;
  do(script: string, change?: Change): Promise<Finished>;
  /** The output of a script that must end well. */
  print(script: string, change?: Change): Promise<string>;
  /** The same from runc; a refusal is its error text. */
  runc(
    script: string,
    change?: Change,
  ): { readonly stdout: string; readonly stderr: string; readonly status: number };
}

export interface Change {
  readonly process?: Partial<NonNullable<RuntimeSpec["process"]>>;
  readonly linux?: NonNullable<RuntimeSpec["linux"]>;
  /** In place of the usual namespaces. */
  readonly namespaces?: readonly (string | { readonly type: string; readonly path: string })[];
  readonly mounts?: RuntimeSpec["mounts"];
  /** In place of the usual mounts. */
  readonly onlyMounts?: RuntimeSpec["mounts"];
  readonly root?: Partial<NonNullable<RuntimeSpec["root"]>>;
  readonly more?: Partial<RuntimeSpec>;
}

export const NAMESPACES = ["pid", "network", "mount", "ipc", "uts", "cgroup"] as const;
const CAPABILITIES = [
  "CAP_CHOWN",
  "CAP_SETUID",
  "CAP_SETGID",
  "CAP_KILL",
  "CAP_MKNOD",
  "CAP_SYS_ADMIN",
  "CAP_DAC_OVERRIDE",
];

let count = 0;

/** A bundle in a directory of `scene`, whose root has busybox. */
export function makeBundle(scene: Scene): BundleScene {
  const path = join(realpathSync(scene.directory), `bundle-${++count}`);
  const root = join(path, "rootfs");
  mkdirSync(root, { recursive: true });
  // Users of other user namespaces find the way to it.
  chmodSync(scene.directory, 0o711);
  assert.equal(spawnSync("tar", ["-xf", busyboxTar(), "-C", root]).status, 0);

  const config = (script: string, change: Change = {}): RuntimeSpec => {
    const { namespaces = NAMESPACES } = change;
    return {
      ociVersion: "1.0.2",
      root: { path: "rootfs", ...change.root },
      ...(namespaces.some((each) => each === "uts" || (typeof each === "object" && each.type === "uts"))
        ? { hostname: "box" }
        : {}),
      mounts: change.onlyMounts ?? [...MOUNTS, ...(change.mounts ?? [])],
      process: {
        user: { uid: 0, gid: 0 },
        args: shell(script),
        env: ["PATH=/bin"],
        cwd: "/",
        capabilities: { bounding: CAPABILITIES, effective: CAPABILITIES, permitted: CAPABILITIES },
        ...change.process,
      },
      ...change.more,
      linux: {
        namespaces: namespaces.map((each) => (typeof each === "string" ? { type: each } : each)) as never,
        ...change.linux,
      },
    };
  };

  const start = (script: string, change?: Change): Promise<Running> => {
    const id = `bundle-${++count}`;
    const { value: spec } = readConfig(JSON.stringify(config(script, change)), "config.json");
    const linux = { cgroupsPath: `${scene.cgroup}/${id}`, ...spec.linux };
    return scene.launcher.start({
      ...scene.request(id, []),
      spec: { ...spec, linux },
      rootfs: { kind: "directory", path: root },
      bundle: { id, path, root },
    });
  };
  const finish = async (script: string, change?: Change) => scene.finish(await start(script, change));

  return {
    scene,
    path,
    root,
    config,
    start,
    do: finish,
    async print(script, change) {
      const { exit, stderr, stdout } = await finish(script, change);
      assert.equal(exit.code, 0, `${stdout}${stderr}`);
      return stdout;
    },
    runc(script, change) {
      const id = `cais-peer-${process.pid}-${++count}`;
      const { linux, ...spec } = config(script, change);
      const cgroupsPath = `${scene.cgroup}/${id}`;
      writeFileSync(join(path, "config.json"), JSON.stringify({ ...spec, linux: { cgroupsPath, ...linux } }));
      const { status, stderr, stdout } = spawnSync(
        "runc",
        ["--root", join(scene.directory, "runc"), "run", "--bundle", path, id],
        { encoding: "utf8", timeout: 20_000, stdio: ["ignore", "pipe", "pipe"] },
      );
      return { status: status ?? -1, stderr, stdout };
    },
  };
}

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Mount, RuntimeSpec } from "../../src/oci/runtime/spec.ts";
import { busyboxMissing } from "../support/fixtures.ts";
import { needs, root } from "../support/skip.ts";
import { makeScene, type Scene } from "./scene.ts";

const possible = needs(root(), busyboxMissing());

/** What `spec` mounts. */
function usual(scene: Scene): readonly Mount[] {
  const config = readFileSync(join(scene.bundle("usual"), "config.json"), "utf8");
  return (JSON.parse(config) as RuntimeSpec).mounts ?? [];
}

test(
  "a bind mount whose source is in the root has what the mounts before it brought there",
  possible,
  async () => {
    await using scene = makeScene();
    const { directory, rootfs } = scene;
    for (const path of ["source/sub", "below", "rootfs/mnt"])
      mkdirSync(join(directory, path), { recursive: true });
    writeFileSync(join(directory, "below/file"), "content\n");
    symlinkSync(directory, join(rootfs, "out"));
    const bind = (source: string, destination: string, word: string): Mount => ({
      destination,
      source,
      options: [word],
    });
    const run = (name: string, mounts: readonly Mount[], script: string) => {
      const spec = { mounts: [...usual(scene), ...mounts] };
      return scene.cais.run([
        "run",
        "--bundle",
        scene.bundle(name, { args: ["sh", "-c", script], spec }),
        name,
      ]);
    };
    const before = [
      bind(join(directory, "source"), "/mnt", "bind"),
      bind(join(directory, "below"), "/mnt/sub", "bind"),
    ];
    const all = await run(
      "all",
      [...before, bind(join(rootfs, "mnt"), join(rootfs, "final"), "rbind")],
      "cat /final/sub/file",
    );
    assert.equal(all.stdout, "content\n", all.stderr);
    const one = await run(
      "one",
      [...before, bind(join(rootfs, "mnt"), "/final", "bind")],
      "ls -A /final/sub",
    );
    assert.equal(one.stdout, "", one.stderr);
    const led = await run("led", [bind(join(rootfs, "out"), "/final", "bind")], "true");
    assert.equal(led.code, 1, "a link of the image leads to nothing of the machine");
  },
);

test(
  "what is read-only in the end has its devices, its mode and places of other mounts",
  possible,
  async () => {
    await using scene = makeScene();
    const file = join(scene.directory, "file");
    writeFileSync(file, "content\n");
    const readonly = ({ options = [], ...rest }: Mount) => ({ ...rest, options: [...options, "ro"] });
    const script =
      "echo >/dev/null; readlink /dev/fd; stat -c %a /mnt /srv; cat /mnt/a/file; touch /dev/x /mnt/x /srv/x; grep -c -E '^tmpfs (/dev|/mnt|/srv) tmpfs ro,' /proc/mounts";
    const bundle = scene.bundle("readonly", {
      args: ["sh", "-c", `exec 2>&1; ${script}`],
      spec: {
        mounts: [
          ...usual(scene).map((mount) => (mount.destination === "/dev" ? readonly(mount) : mount)),
          { destination: "/mnt", type: "tmpfs", source: "tmpfs", options: ["ro", "mode=710"] },
          { destination: "/mnt/a/file", type: "bind", source: file, options: ["bind"] },
          { destination: "/srv", type: "tmpfs", source: "tmpfs", options: ["ro"] },
          { destination: "/srv", type: "tmpfs", source: "tmpfs", options: ["mode=711"] },
        ],
      },
    });
    const expected = "/proc/self/fd\n710\n711\ncontent\ntouch: /dev/x: Read-only file system\n";
    const lines = await scene.cais.ok(["run", "--bundle", bundle, "readonly"]);
    assert.equal(lines, `${expected}touch: /mnt/x: Read-only file system\n3\n`);
  },
);

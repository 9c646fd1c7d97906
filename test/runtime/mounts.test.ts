import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
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

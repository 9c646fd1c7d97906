import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { runPlan } from "../../src/plan/run.ts";
import { OVERLAY_OPTIONS, type Rootfs, type SnapshotDriver } from "../../src/storage/driver.ts";
import { openOverlay } from "../../src/storage/overlay.ts";
import { openVfs } from "../../src/storage/vfs.ts";
import { bytesOf, type Made, scratch, streamOf, tarOf } from "../image/scratch.ts";

const DRIVERS = { overlay2: openOverlay, vfs: openVfs } as const;
const root = process.getuid?.() === 0 ? false : "needs root";

/** Runs a script in the merged root of a snapshot, mounted in a mount namespace of its own. */
function inside(rootfs: Rootfs, script: string): string {
  let command = `cd "$1"; ${script}`;
  let args = [rootfs.kind === "directory" ? rootfs.path : rootfs.base];
  if (rootfs.kind === "overlay") {
    const { lower, upper, work } = rootfs;
    const options = `lowerdir=${lower.join(":")},upperdir=${upper},workdir=${work},${OVERLAY_OPTIONS}`;
    command = `cd "$1"; mount -t overlay overlay -o "$2" /mnt; cd /mnt; ${script}`;
    args = [rootfs.base, options];
  }
  const { status, stdout, stderr } = spawnSync("unshare", ["-m", "sh", "-ec", command, "sh", ...args]);
  assert.equal(status, 0, String(stderr));
  return String(stdout).trim();
}

const FIRST: readonly Made[] = [
  { name: "./", type: "directory", mode: 0o751, uid: 3, gid: 4 },
  { name: "./etc/", type: "directory", mode: 0o755 },
  { name: "./etc/passwd", data: "root\n", mode: 0o640, uid: 1, gid: 2 },
  { name: "./etc/gone", data: "x" },
  { name: "./opaque/", type: "directory", mode: 0o700, uid: 9, gid: 9 },
  { name: "./opaque/below", data: "x" },
  { name: "./bin/", type: "directory", mode: 0o755 },
  {
    name: "./bin/su",
    data: "#!",
    mode: 0o4755,
    xattrs: new Map([["user.bytes", Buffer.from([0, 255, 10, 61])]]),
  },
  { name: "./bin/link", type: "hardlink", link: "./bin/su" },
  { name: "./null", type: "char", major: 1, minor: 3, mode: 0o666 },
  { name: "./pipe", type: "fifo", mode: 0o600, uid: 5 },
  { name: "./sym", type: "symlink", link: "/etc/passwd", uid: 7, gid: 7 },
];
const SECOND: readonly Made[] = [
  { name: "etc/.wh.gone" },
  { name: "opaque/.wh..wh..opq" },
  { name: "opaque/above", data: "new" },
  { name: "etc/passwd", data: "changed\n" },
];

for (const [name, open] of Object.entries(DRIVERS)) {
  const opened = async (path: string): Promise<SnapshotDriver> => {
    const driver = open(path, runPlan);
    await driver.recover();
    return driver;
  };

  describe(`snapshot driver ${name}`, { skip: root }, () => {
    it("shows what layers hold: owners, modes, links, devices, attributes", async () => {
      using directory = scratch();
      const driver = await opened(directory.path);
      const layer = await driver.apply(undefined, streamOf(tarOf(...FIRST)));
      assert.equal(layer.created, true);
      assert.equal(layer.size, 20); // 9 in files, 11 in the texts of links
      const rootfs = await driver.createWritable("one", layer.chainId);
      assert.equal(
        inside(
          rootfs,
          "stat -c '%n %F %a %u %g %t %T' . etc/passwd bin/su null pipe sym; stat -c %h bin/link; readlink sym; getfattr --only-values -n user.bytes bin/link | od -An -tx1",
        ),
        [
          ". directory 751 3 4 0 0",
          "etc/passwd regular file 640 1 2 0 0",
          "bin/su regular file 4755 0 0 0 0",
          "null character special file 666 0 0 1 3",
          "pipe fifo 600 5 0 0 0",
          "sym symbolic link 777 7 7 0 0",
          "2",
          "/etc/passwd",
          " 00 ff 0a 3d",
        ].join("\n"),
      );
    });

    it("hides what upper layers remove, and keeps the looks of directories they only pass through", async () => {
      using directory = scratch();
      const driver = await opened(directory.path);
      const first = await driver.apply(undefined, streamOf(tarOf(...FIRST)));
      const second = await driver.apply(first.chainId, streamOf(tarOf(...SECOND)));
      const rootfs = await driver.createWritable("two", second.chainId);
      assert.equal(
        inside(rootfs, "ls etc opaque; cat etc/passwd; stat -c '%a %u %g' . opaque"),
        "etc:\npasswd\n\nopaque:\nabove\nchanged\n751 3 4\n700 9 9",
      );
      const view = driver.view(second.chainId);
      assert.equal(view.lookup("etc/gone"), undefined);
      assert.equal(view.lookup("opaque/below"), undefined);
      assert.deepEqual(view.names("opaque"), ["above"]);
      assert.equal(view.resolve("sym"), "etc/passwd");
    });

    it("is idempotent by content, and tells what is there", async () => {
      using directory = scratch();
      const driver = await opened(directory.path);
      const first = await driver.apply(undefined, streamOf(tarOf(...FIRST)));
      const again = await driver.apply(undefined, streamOf(tarOf(...FIRST), 77));
      assert.deepEqual({ ...again, created: true }, first);
      assert.equal(again.created, false);
      const reopened = await opened(directory.path);
      assert.deepEqual(reopened.layers(), [first.chainId]);
      assert.equal(reopened.hasLayer(first.chainId), true);
      assert.equal(reopened.layerSize(first.chainId), 20);
      await reopened.removeLayer(first.chainId);
      assert.equal(reopened.hasLayer(first.chainId), false);
      assert.deepEqual((await opened(directory.path)).layers(), []);
    });

    it("keeps nothing of a layer with another digest than expected", async () => {
      using directory = scratch();
      const driver = await opened(directory.path);
      const other = `sha256:${"0".repeat(64)}` as Parameters<SnapshotDriver["apply"]>[2];
      await assert.rejects(
        driver.apply(undefined, streamOf(tarOf(...FIRST)), other),
        /its digest is sha256:.*, not sha256:000/,
      );
      assert.deepEqual(driver.layers(), []);
      assert.deepEqual(fs.readdirSync(join(directory.path, "staging")), []);
    });

    it("says what a snapshot changed, as a list and as a layer that does the same again", async () => {
      using directory = scratch();
      const driver = await opened(directory.path);
      const first = await driver.apply(undefined, streamOf(tarOf(...FIRST)));
      const rootfs = await driver.createWritable("three", first.chainId);
      inside(
        rootfs,
        "rm etc/gone; echo more >> etc/passwd; mkdir -p new/deep; echo x > new/deep/file; rm -r opaque; mkdir opaque; echo y > opaque/y; mknod zero c 1 5; ln new/deep/file new/hard; setfattr -n user.a -v b new/hard",
      );
      const changes = await driver.changes("three");
      const shown = changes.map(({ Path, Kind }) => `${"CAD"[Kind]} ${Path}`);
      assert.deepEqual(shown, [
        "C /etc",
        "D /etc/gone",
        "C /etc/passwd",
        "A /new",
        "A /new/deep",
        "A /new/deep/file",
        "A /new/hard",
        "C /opaque",
        "D /opaque/below",
        "A /opaque/y",
        "A /zero",
      ]);
      const diff = await bytesOf(driver.diff("three"));
      const second = await driver.apply(first.chainId, streamOf(diff));
      const copy = await driver.createWritable("four", second.chainId);
      const look =
        "find . -printf '%P %y %m %U %G %n\\n' | sort; cat etc/passwd opaque/y; getfattr --only-values -n user.a new/deep/file";
      assert.equal(inside(copy, look), inside(driver.rootfs("three"), look));
      assert.deepEqual(await driver.changes("four"), []);
    });

    it("finds its snapshots again, counts them, and forgets those half made", async () => {
      using directory = scratch();
      const driver = await opened(directory.path);
      const first = await driver.apply(undefined, streamOf(tarOf(...FIRST)));
      const rootfs = await driver.createWritable("five", first.chainId);
      await assert.rejects(driver.createWritable("five", first.chainId), /it exists/);
      inside(rootfs, "head -c 1000 /dev/zero > data");
      assert.equal(await driver.usage("five"), name === "vfs" ? 1020 : 1000);
      fs.mkdirSync(join(directory.path, "w", "half", "fs"), { recursive: true });
      fs.mkdirSync(join(directory.path, "staging", "half"));
      const reopened = await opened(directory.path);
      assert.deepEqual(reopened.writables(), driver.writables());
      assert.deepEqual(fs.readdirSync(join(directory.path, "w")), ["five"]);
      assert.deepEqual(fs.readdirSync(join(directory.path, "staging")), []);
      assert.deepEqual(reopened.rootfs("five"), rootfs);
      await reopened.remove("five");
      assert.throws(() => reopened.rootfs("five"), /does not exist/);
    });
  });
}

describe("mount points that a start made", { skip: root }, () => {
  it("are no change and get into no layer", async () => {
    using directory = scratch();
    const driver = openOverlay(directory.path, runPlan);
    const layer = await driver.apply(undefined, streamOf(tarOf(...FIRST)));
    const rootfs = await driver.createWritable("started", layer.chainId);
    inside(rootfs, "touch etc/hosts etc/hostname; mkdir -p dev/pts proc");
    assert.deepEqual(await driver.changes("started"), []);
    assert.equal((await bytesOf(driver.diff("started"))).includes("etc/hosts"), false);
    inside(rootfs, "echo x > etc/hosts");
    const changed = (await driver.changes("started")).map(({ Path }) => Path);
    assert.deepEqual(changed, ["/etc", "/etc/hosts"]);
  });
});

describe("overlay mount options", { skip: root }, () => {
  it("fit 120 layers into one page", async () => {
    using directory = scratch();
    const driver = openOverlay(directory.path, runPlan);
    let chain: Parameters<SnapshotDriver["apply"]>[0];
    for (let i = 0; i < 120; i++) {
      chain = (await driver.apply(chain, streamOf(tarOf({ name: `file-${i}`, data: String(i) })))).chainId;
    }
    const rootfs = await driver.createWritable("deep", chain);
    assert.equal(rootfs.kind, "overlay");
    assert.ok(rootfs.kind === "overlay" && rootfs.lower.join(":").length < 3000);
    assert.equal(inside(rootfs, "ls | wc -l; cat file-0 file-119"), "120\n0119");
  });
});

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { getArchive } from "../../src/image/archive/get.ts";
import { putArchive } from "../../src/image/archive/put.ts";
import { statPath } from "../../src/image/archive/stat.ts";
import { exportRoot } from "../../src/image/export.ts";
import { runPlan } from "../../src/plan/run.ts";
import { bytesOf, type Made, scratch, streamOf, tarOf } from "./scratch.ts";

const skip = process.getuid?.() === 0 ? false : "needs root";

/** A container's root, beside a file that is not the container's. */
function scene(path: string): string {
  const root = join(path, "root");
  const script = `mkdir -p root/etc root/usr/bin root/var; echo secret > secret; cd root
    echo hello > etc/file; ln etc/file etc/hard; chown 7:8 etc/file; chmod 4750 etc/file; setfattr -n user.k -v v etc/file
    ln -s usr/bin bin; ln -s /etc/file abs; ln -s ../../../../etc/file up; ln -s ../../secret etc/out; ln -s / var/root
    mknod null c 1 3`;
  execFileSync("sh", ["-ec", script], { cwd: path });
  return root;
}

function listing(tar: Buffer): string[] {
  return execFileSync("tar", ["-tf", "-"], { input: tar, encoding: "utf8" }).trim().split("\n");
}

describe("paths of a container", { skip }, () => {
  it("are looked at as Docker does", () => {
    using directory = scratch();
    const root = scene(directory.path);
    const file = statPath(root, "/etc/file");
    assert.deepEqual(
      { ...file, mtime: "" },
      { name: "file", size: 6, mode: 2 ** 23 + 0o750, mtime: "", linkTarget: "" },
    );
    assert.equal(statPath(root, "/abs").linkTarget, "/etc/file");
    assert.equal(statPath(root, "/up").linkTarget, "/etc/file");
    assert.equal(statPath(root, "/etc/out").linkTarget, "/secret");
    assert.equal(statPath(root, "bin/").mode, 2 ** 31 + 0o755);
    assert.equal(statPath(root, "/var/root/var/root/etc/../etc/file").size, 6);
    assert.throws(() => statPath(root, "/nope/x"), /Could not find the file \/nope\/?x? in the container/);
    assert.throws(() => statPath(root, "/etc/file/x"), /not a directory/);
  });

  it("come out as an archive, never what is outside", async () => {
    using directory = scratch();
    const root = scene(directory.path);
    const get = async (path: string): Promise<string[]> =>
      listing(await bytesOf(getArchive(root, path, runPlan).archive));
    assert.deepEqual(await get("/etc"), ["etc/", "etc/file", "etc/hard", "etc/out"]);
    assert.deepEqual(await get("/etc/"), ["etc/", "etc/file", "etc/hard", "etc/out"]);
    assert.deepEqual(await get("/etc/."), ["./", "./file", "./hard", "./out"]);
    assert.deepEqual(await get("/var/root/etc/file"), ["file"]);
    const whole = await bytesOf(getArchive(root, "/", runPlan).archive);
    assert.equal(whole.includes("secret\n"), false);
    await assert.rejects(async () => get("/../secret"), /Could not find the file/);
  });

  it("export keeps links, devices and attributes, and leaves mounts empty", async () => {
    using directory = scratch();
    const root = scene(directory.path);
    const tar = await bytesOf(exportRoot(root, { runPlan, mounts: ["/usr"] }));
    fs.mkdirSync(join(directory.path, "out"));
    execFileSync("tar", ["-C", join(directory.path, "out"), "--xattrs", "-xpf", "-"], { input: tar });
    const look = "find . ! -name bin -printf '%P %y %m %U %G %n %l\\n' | sort; getfattr -d etc/file";
    const shell = (cwd: string): string => execFileSync("sh", ["-ec", look], { cwd, encoding: "utf8" });
    fs.rmdirSync(join(root, "usr/bin"));
    assert.equal(
      shell(join(directory.path, "out")).replace(/^ d .*\n|^usr d .*\n/gm, ""),
      shell(root).replace(/^ d .*\n|^usr d .*\n/gm, ""),
    );
  });
});

describe("archives copied into a container", { skip }, () => {
  it("land below its root, whatever links say", async () => {
    using directory = scratch();
    const root = scene(directory.path);
    const tar = tarOf(
      { name: "sub/", type: "directory", mode: 0o700, uid: 5 },
      {
        name: "sub/new",
        data: "new",
        mode: 0o4711,
        uid: 5,
        gid: 6,
        xattrs: new Map([["user.a", Buffer.from("b")]]),
      },
      { name: "sub/link", type: "hardlink", link: "sub/new" },
      { name: "node", type: "char", major: 1, minor: 5 },
      { name: "file", data: "replaced" },
    );
    await putArchive(root, "/var/root/etc", streamOf(tar), { runPlan });
    assert.equal(fs.readFileSync(join(root, "etc/file"), "utf8"), "replaced");
    assert.equal(fs.readFileSync(join(root, "etc/hard"), "utf8"), "hello\n");
    const stat = fs.statSync(join(root, "etc/sub/link"));
    assert.deepEqual(
      [stat.mode & 0o7777, stat.uid, stat.gid, stat.nlink, stat.mtimeMs],
      [0o4711, 5, 6, 2, 1.7e12],
    );
    assert.equal(fs.statSync(join(root, "etc/sub")).mtimeMs, 1.7e12);
    assert.equal(fs.statSync(join(root, "etc/node")).isCharacterDevice(), true);
    const key = execFileSync("getfattr", ["--only-values", "-n", "user.a", join(root, "etc/sub/new")], {
      encoding: "utf8",
    });
    assert.equal(key, "b");
    await putArchive(root, "/etc", streamOf(tarOf({ name: "owned", data: "" })), {
      runPlan,
      owner: { uid: 9, gid: 10 },
    });
    assert.equal(fs.statSync(join(root, "etc/owned")).uid, 9);
  });

  it("are refused where they lead out or replace a directory", async () => {
    using directory = scratch();
    const root = scene(directory.path);
    const put = (path: string, ...entries: readonly Made[]) =>
      putArchive(root, path, streamOf(tarOf(...entries)), { runPlan });
    await assert.rejects(put("/", { name: "../evil", data: "x" }), /leads out/);
    await assert.rejects(put("/", { name: "etc", data: "x" }), /would replace a directory/);
    await assert.rejects(put("/etc/file", { name: "x", data: "x" }), /extraction point is not a directory/);
    await assert.rejects(put("/nope", { name: "x", data: "x" }), /Could not find the file \/nope/);
    await put("/", { name: "etc/out/evil", data: "x" }).catch(() => {});
    assert.deepEqual(fs.readdirSync(directory.path).sort(), ["root", "secret"]);
    assert.equal(fs.readFileSync(join(directory.path, "secret"), "utf8"), "secret\n");
  });

  it("stay below its root while a process in it swaps directories for links", async () => {
    using directory = scratch();
    const root = scene(directory.path);
    fs.mkdirSync(join(directory.path, "outside"));
    const swap = `cd "$1"; mkdir -p a; i=0; while [ $i -lt 100000 ]; do mv a b && ln -s ../outside a; rm a; mv b a; i=$((i+1)); done`;
    const hostile = spawn("sh", ["-c", swap, "sh", root], { stdio: "ignore", detached: true });
    try {
      for (let i = 0; i < 150; i++) {
        const entries = Array.from({ length: 5 }, (_, n) => ({ name: `a/file-${i}-${n}`, data: "x" }));
        await putArchive(root, "/", streamOf(tarOf(...entries)), { runPlan }).catch(() => {});
        await (async () => bytesOf(getArchive(root, "/a", runPlan).archive))().catch(() => {});
      }
    } finally {
      // The whole group: one of its commands would make things in what is removed by then.
      const ended = once(hostile, "exit");
      process.kill(-hostile.pid!, "SIGKILL");
      await ended;
    }
    assert.deepEqual(fs.readdirSync(join(directory.path, "outside")), []);
  });
});

import assert from "node:assert/strict";
import * as fs from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { runPlan } from "../../src/plan/run.ts";
import { openVolumes, type Volumes } from "../../src/volume/volumes.ts";
import { scratch } from "../image/scratch.ts";

const skip = process.getuid?.() === 0 ? false : "needs root";

describe("volumes", { skip }, () => {
  const open = (root: string, users: Record<string, string[]> = {}): Volumes =>
    openVolumes({ root, runPlan, usedBy: (name) => users[name] ?? [] });

  it("are made once, listed, and found again", () => {
    using directory = scratch();
    const volumes = open(directory.path);
    const data = volumes.create({ name: "data", labels: { a: "b" } });
    assert.equal(data.Mountpoint, join(directory.path, "volumes/data/_data"));
    assert.deepEqual(volumes.create({ name: "data" }), data);
    const anonymous = volumes.create();
    assert.match(anonymous.Name, /^[0-9a-f]{64}$/);
    const names = (filters?: Parameters<Volumes["list"]>[0]): string[] =>
      open(directory.path)
        .list(filters)
        .map(({ Name }) => Name);
    assert.deepEqual(names(), [anonymous.Name, "data"].sort());
    assert.deepEqual(names({ label: ["a=b"] }), ["data"]);
    assert.deepEqual(names({ name: ["dat"] }), ["data"]);
    assert.deepEqual(names({ label: ["c"] }), []);
    assert.throws(() => volumes.get("nope"), { message: "get nope: no such volume" });
  });

  it("are removed unless a container has them, and pruned by Docker's rules", async () => {
    using directory = scratch();
    const users = { busy: ["abc"] };
    const volumes = open(directory.path, users);
    for (const name of ["busy", "named"]) volumes.create({ name });
    const { Name, Mountpoint } = volumes.create();
    fs.writeFileSync(join(Mountpoint, "file"), "12345");
    await assert.rejects(volumes.remove("busy"), { message: "remove busy: volume is in use - [abc]" });
    await assert.rejects(volumes.remove("nope"), { message: "get nope: no such volume" });
    await volumes.remove("nope", { force: true });
    assert.deepEqual(await volumes.prune(), { VolumesDeleted: [Name], SpaceReclaimed: 5 });
    assert.deepEqual((await volumes.prune({ all: ["true"] })).VolumesDeleted, ["named"]);
    assert.deepEqual(fs.readdirSync(join(directory.path, "volumes")).sort(), [".removed", "busy"]);
  });

  it("are removed when somebody has taken their directory away", async () => {
    using directory = scratch();
    const volumes = open(directory.path);
    for (const name of ["first", "second", "other"]) volumes.create({ name });
    for (const name of ["first", "second"])
      fs.rmSync(join(directory.path, "volumes", name), { recursive: true });
    await volumes.remove("first");
    assert.equal(volumes.find("first"), undefined);
    const { VolumesDeleted } = await volumes.prune({ all: ["true"] });
    assert.deepEqual(VolumesDeleted.toSorted(), ["other", "second"]);
    assert.equal(volumes.create({ name: "first" }).Name, "first");
  });

  it("are filled from the image once, with owners and links", async () => {
    using directory = scratch();
    const volumes = open(directory.path);
    const source = join(directory.path, "source");
    fs.mkdirSync(source);
    fs.chownSync(source, 5, 6);
    fs.writeFileSync(join(source, "file"), "x");
    fs.chownSync(join(source, "file"), 7, 8);
    fs.symlinkSync("../../../etc", join(source, "link"));
    const { Mountpoint } = volumes.create({ name: "vv" });
    await volumes.fill("vv", source);
    assert.deepEqual([fs.statSync(Mountpoint).uid, fs.statSync(join(Mountpoint, "file")).gid], [5, 8]);
    assert.equal(fs.readlinkSync(join(Mountpoint, "link")), "../../../etc");
    fs.writeFileSync(join(source, "later"), "x");
    await volumes.fill("vv", source);
    assert.equal(fs.existsSync(join(Mountpoint, "later")), false);
  });

  it("say what their options ask to mount, and refuse what makes no sense", () => {
    using directory = scratch();
    const volumes = open(directory.path);
    volumes.create({ name: "tmp", options: { type: "tmpfs", device: "tmpfs", o: "size=1m,uid=5" } });
    assert.deepEqual(volumes.mount("tmp"), { type: "tmpfs", device: "tmpfs", options: ["size=1m", "uid=5"] });
    volumes.create({ name: "bind", options: { type: "none", device: "/srv", o: "bind" } });
    assert.deepEqual(volumes.mount("bind"), { type: "none", device: "/srv", options: ["bind"] });
    assert.throws(
      () => volumes.create({ name: "xx", options: { colour: "red" } }),
      /invalid option: "colour"/,
    );
    assert.throws(
      () => volumes.create({ name: "xx", options: { type: "nfs" } }),
      /missing required option: "device"/,
    );
    assert.throws(() => volumes.create({ name: "xx", options: { size: "1m" } }), /no quota support/);
    assert.throws(
      () => volumes.create({ name: "../x" }),
      /includes invalid characters for a local volume name/,
    );
    assert.throws(() => volumes.create({ name: "xx", driver: "other" }), /plugin "other" not found/);
    assert.deepEqual(
      volumes.create({ name: "tmp", options: { type: "ext4", device: "d" } }).Options?.type,
      "tmpfs",
    );
  });

  it("survive a damaged document: it is reported, its data kept", () => {
    using directory = scratch();
    const { Mountpoint } = open(directory.path).create({ name: "vv" });
    fs.writeFileSync(join(Mountpoint, "precious"), "x");
    fs.writeFileSync(join(directory.path, "volumes/vv/volume.json"), "{");
    const volumes = open(directory.path);
    assert.equal(volumes.find("vv"), undefined);
    assert.match(volumes.damaged().join(), /the document is damaged/);
    assert.equal(fs.existsSync(join(Mountpoint, "precious")), true);
    assert.throws(() => volumes.create({ name: "vv" }), /damaged/);
  });

  it("CVE-2021-41091: are out of reach for the machine's other users", () => {
    using directory = scratch();
    fs.mkdirSync(join(directory.path, "volumes"), { mode: 0o755 });
    open(directory.path).create({ name: "vv" });
    assert.equal(fs.statSync(join(directory.path, "volumes")).mode & 0o7, 0);
  });
});

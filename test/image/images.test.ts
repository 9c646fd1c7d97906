import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { ImageUser } from "../../src/image/images.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { imagesIn, scratch, streamOf, tarOf } from "./scratch.ts";

const root = process.getuid?.() === 0 ? false : "needs root";
const TAR = tarOf({ name: "bin/", type: "directory" }, { name: "bin/sh", data: "#!", mode: 0o755 });

describe("images", { skip: root }, () => {
  it("import takes changes, a message and a platform", async () => {
    using directory = scratch();
    const images = await imagesIn(directory.path);
    const id = await images.import(streamOf(TAR), {
      repo: "thing",
      tag: "1",
      message: "from a test",
      platform: "linux/arm64",
      changes: [
        'CMD ["/bin/sh", "-l"]',
        "ENTRYPOINT exec it",
        'ENV A=1 B="two words"',
        "ENV C $A and more",
        "WORKDIR /srv",
        "WORKDIR sub",
        "USER 5:6",
        "EXPOSE 80 53/udp",
        "LABEL k=v",
        "VOLUME /data",
        "STOPSIGNAL SIGINT",
        "HEALTHCHECK --interval=1m30s --retries=3 CMD true",
      ],
    });
    const image = images.inspect("thing:1");
    assert.equal(image.Id, id);
    assert.equal(image.Architecture, "arm64");
    assert.equal(image.Comment, "from a test");
    assert.deepEqual(images.get(id).config.config, {
      Cmd: ["/bin/sh", "-l"],
      Entrypoint: ["/bin/sh", "-c", "exec it"],
      Env: ["A=1", "B=two words", "C=1 and more"],
      WorkingDir: "/srv/sub",
      User: "5:6",
      ExposedPorts: { "80/tcp": {}, "53/udp": {} },
      Labels: { k: "v" },
      Volumes: { "/data": {} },
      StopSignal: "SIGINT",
      Healthcheck: { Test: ["CMD-SHELL", "true"], Interval: 90e9, Retries: 3 },
    });
    assert.equal(images.history(id)[0]?.Comment, "from a test");
    await assert.rejects(
      images.import(streamOf(TAR), { changes: ["RUN true"] }),
      /RUN is not a valid change command/,
    );
    await assert.rejects(
      images.import(streamOf(TAR), { repo: "Bad" }),
      /repository name \(library\/\w+\) must be lowercase/,
    );
  });

  it("are found by name, id and beginning of an id, and not otherwise", async () => {
    using directory = scratch();
    const images = await imagesIn(directory.path);
    const id = await images.import(streamOf(TAR), { repo: "thing" });
    for (const text of [
      "thing",
      "thing:latest",
      "docker.io/library/thing",
      id,
      id.slice(7),
      id.slice(7, 19),
      id.slice(0, 20),
    ]) {
      assert.equal(images.find(text)?.id, id, text);
    }
    assert.throws(() => images.get("nothing"), { message: "No such image: nothing:latest" });
    assert.throws(() => images.get("thing:2"), { message: "No such image: thing:2" });
    assert.throws(() => images.get("BAD"), /repository name \(library\/\w+\) must be lowercase/);
    assert.equal(images.find("g".repeat(12)), undefined);
  });

  it("are still there in the next process, names and all", async () => {
    using directory = scratch();
    const first = await imagesIn(directory.path);
    const id = await first.import(streamOf(TAR), { repo: "thing" });
    await first.tag(id, { repo: "other", tag: "2" });
    const second = await imagesIn(directory.path);
    assert.deepEqual(second.list(), first.list());
    assert.deepEqual(second.get(id).tags, ["other:2", "thing:latest"]);
    assert.deepEqual(second.damaged(), []);
  });

  it("whose document is damaged are reported, not believed, and nothing is collected", async () => {
    using directory = scratch();
    const first = await imagesIn(directory.path);
    const id = await first.import(streamOf(TAR), { repo: "thing" });
    const path = join(directory.path, "root/images", `${id.slice(7)}.json`);
    const good = fs.readFileSync(path);
    const changed = Buffer.from(good.toString().replace("tarSize", "tarSiZe"));
    for (const bad of [good.subarray(0, 30), Buffer.alloc(good.length), changed]) {
      fs.writeFileSync(path, bad);
      const images = await imagesIn(directory.path);
      assert.match(images.damaged().join(), /the document is damaged/);
      assert.equal(images.find(id), undefined);
    }
    fs.writeFileSync(path, good);
    const repaired = await imagesIn(directory.path);
    assert.equal(repaired.get("thing").id, id);
    assert.equal(repaired.driver.hasLayer(repaired.get(id).chain!), true);
  });
});

describe("a layer that a power cut took", { skip: root }, () => {
  it("is unpacked again from its archive", async () => {
    using directory = scratch();
    const first = await imagesIn(directory.path);
    const id = await first.import(streamOf(TAR), { repo: "thing" });
    const layers = join(directory.path, "root/snapshots/overlay2/l");
    const name = first.get(id).chain!.slice(7, 23);
    fs.writeFileSync(join(layers, name, "layer.json"), "");
    fs.rmSync(join(layers, name, "fs/bin/sh"));
    const second = await imagesIn(directory.path);
    assert.deepEqual(second.damaged(), []);
    assert.equal(second.driver.view(second.get("thing").chain).lookup("bin/sh")?.stat.size, 2);
  });
});

describe("removing images", { skip: root }, () => {
  it("follows Docker's rules", async () => {
    using directory = scratch();
    const users = new Map<Digest, ImageUser[]>();
    const images = await imagesIn(directory.path, { usedBy: (id) => users.get(id) ?? [] });
    const id = await images.import(streamOf(TAR), { repo: "one" });
    await images.tag(id, { repo: "two" });
    const short = id.slice(7, 19);
    await assert.rejects(images.remove(id), {
      message: `conflict: unable to delete ${short} (must be forced) - image is referenced in multiple repositories`,
    });
    assert.deepEqual(await images.remove("two"), [{ Untagged: "two:latest" }]);
    users.set(id, [{ id: "c".repeat(64), running: false }]);
    await assert.rejects(images.remove("one"), {
      message: `conflict: unable to remove repository reference "one" (must force) - container cccccccccccc is using its referenced image ${short}`,
    });
    await assert.rejects(images.remove(id), {
      message: `conflict: unable to delete ${short} (must be forced) - image is being used by stopped container cccccccccccc`,
    });
    users.set(id, [{ id: "c".repeat(64), running: true }]);
    await assert.rejects(images.remove(id, { force: true }), {
      message: `conflict: unable to delete ${short} (cannot be forced) - image is being used by running container cccccccccccc`,
    });
    users.clear();
    const chain = images.get(id).chain;
    assert.deepEqual(await images.remove("one"), [
      { Untagged: "one:latest" },
      { Deleted: id },
      { Deleted: chain },
    ]);
    assert.deepEqual(fs.readdirSync(join(directory.path, "root/blobs/sha256")), []);
    await assert.rejects(images.remove("one"), { message: "No such image: one:latest" });
    await assert.rejects(images.remove("host"), /it is built in/);
  });

  it("keeps the layers that others stand on", async () => {
    using directory = scratch();
    const images = await imagesIn(directory.path);
    const base = await images.import(streamOf(TAR), { repo: "base" });
    const layer = await images.addLayer(images.get(base).chain, streamOf(tarOf({ name: "more", data: "x" })));
    const { config } = images.get(base);
    const diffs = [...config.rootfs.diff_ids, layer.diffId];
    const top = await images.create(
      { ...config, rootfs: { type: "layers", diff_ids: diffs } },
      { repo: "top" },
    );
    layer.release();
    await images.remove("base");
    assert.equal(images.find(base), undefined);
    assert.equal(images.driver.view(images.get(top).chain).lookup("bin/sh")?.stat.size, 2);
    const report = await images.prune({ dangling: ["false"] });
    assert.equal(report.SpaceReclaimed, 3);
    assert.equal(images.driver.layers().length, 1, "only the built-in image's own");
  });
});

describe("the image host", { skip: root }, () => {
  it("is this machine without the engine's own directories, under a stable id", async () => {
    using directory = scratch();
    const hidden = [join(directory.path, "root"), join(directory.path, "run")];
    const images = await imagesIn(directory.path, { hidden });
    const image = images.get("host");
    assert.equal(image.builtIn, true);
    assert.equal((await imagesIn(directory.path, { hidden })).get("host").id, image.id);
    assert.match(image.config.config?.Cmd?.[0] ?? "", /^\/.*sh$/);
    fs.writeFileSync(join(directory.path, "visible"), "");
    const rootfs = await images.driver.createWritable("host-test", image.chain);
    assert.ok(rootfs.kind === "overlay");
    const { base, lower, upper, work } = rootfs;
    const options = `lowerdir=${lower.join(":")},upperdir=${upper},workdir=${work}`;
    const script =
      'cd "$1"; mount -t overlay overlay -o "$2" /mnt; ls "/mnt/$3"; stat -c %a /mnt /mnt/tmp; cmp /bin/sh /mnt/bin/sh';
    const args = ["-m", "sh", "-ec", script, "sh", base, options, directory.path];
    const seen = execFileSync("unshare", args, { encoding: "utf8" }).trim().split("\n");
    const mode = (path: string): string => (fs.statSync(path).mode & 0o7777).toString(8);
    assert.deepEqual(seen, ["visible", mode("/"), mode("/tmp")]);
    assert.deepEqual(await images.driver.changes("host-test"), []);
    assert.throws(() => images.save(["host"]), /it stands on this machine's own files/);
  });
});

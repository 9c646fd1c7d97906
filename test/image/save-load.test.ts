import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { digestOf } from "../../src/oci/digest.ts";
import { bytesOf, imagesIn, type Made, scratch, streamOf, tarOf, treeOf } from "./scratch.ts";

const root = process.getuid?.() === 0 ? false : "needs root";
const TAR = tarOf({ name: "bin/", type: "directory" }, { name: "bin/sh", data: "#!", mode: 0o755 });

describe("save and load", { skip: root }, () => {
  it("bring images to another engine as they were", async () => {
    using directory = scratch();
    const one = await imagesIn(join(directory.path, "one"));
    const base = await one.import(streamOf(TAR), { repo: "base", tag: "1" });
    const layer = await one.addLayer(one.get(base).chain, streamOf(tarOf({ name: "bin/.wh.sh" })));
    const { config } = one.get(base);
    const diff_ids = [...config.rootfs.diff_ids, layer.diffId];
    await one.create({ ...config, rootfs: { type: "layers", diff_ids } }, { repo: "host:5000/top" });
    layer.release();
    const wanted = ["base:1", "host:5000/top", base];
    const archive = await bytesOf(one.save(wanted));
    for (const driver of ["overlay2", "vfs"] as const) {
      const two = await imagesIn(join(directory.path, driver), { driver });
      const messages: string[] = [];
      const ids = await two.load(streamOf(archive, 4096), (message) =>
        messages.push(JSON.stringify(message)),
      );
      assert.deepEqual(messages, [
        '{"stream":"Loaded image: base:1\\n"}',
        '{"stream":"Loaded image: host:5000/top:latest\\n"}',
      ]);
      assert.deepEqual(
        ids.map((id) => two.get(id).config),
        ids.map((id) => one.get(id).config),
      );
      assert.equal(two.driver.view(two.get("base:1").chain).lookup("bin/sh")?.stat.size, 2);
      assert.equal(two.driver.view(two.get("host:5000/top").chain).lookup("bin/sh"), undefined);
      assert.ok((await bytesOf(two.save(wanted))).equals(archive), "the same archive again");
    }
  });

  it("read an OCI layout without Docker's manifest, layers compressed", async () => {
    using directory = scratch();
    const layer = gzipSync(TAR);
    const config = JSON.stringify({
      architecture: "amd64",
      os: "linux",
      rootfs: { type: "layers", diff_ids: [digestOf(TAR)] },
    });
    const described = (mediaType: string, data: Uint8Array | string) => ({
      mediaType: `application/vnd.oci.image.${mediaType}`,
      digest: digestOf(data),
      size: data.length,
    });
    const manifest = JSON.stringify({
      schemaVersion: 2,
      config: described("config.v1+json", config),
      layers: [described("layer.v1.tar+gzip", layer)],
    });
    const annotations = { "io.containerd.image.name": "docker.io/library/base:7" };
    const index = JSON.stringify({
      schemaVersion: 2,
      manifests: [{ ...described("manifest.v1+json", manifest), annotations }],
    });
    const tree = join(directory.path, "layout");
    fs.mkdirSync(join(tree, "blobs/sha256"), { recursive: true });
    for (const blob of [layer, config, manifest]) {
      fs.writeFileSync(join(tree, "blobs/sha256", digestOf(blob).slice(7)), blob);
    }
    fs.writeFileSync(join(tree, "index.json"), index);
    fs.writeFileSync(join(tree, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
    execFileSync("tar", ["-C", tree, "-cf", join(directory.path, "oci.tar"), "."]);
    const images = await imagesIn(directory.path);
    const ids = await images.load(fs.createReadStream(join(directory.path, "oci.tar")));
    assert.deepEqual(ids, [digestOf(config)]);
    assert.deepEqual(images.get("base:7").id, digestOf(config));
  });

  it("refuse a wrong digest, and leave nothing of the archive", async () => {
    using directory = scratch();
    const one = await imagesIn(join(directory.path, "one"));
    await one.import(streamOf(TAR), { repo: "base" });
    const archive = await bytesOf(one.save(["base"]));
    const evil = Buffer.from(archive);
    evil[evil.indexOf("#!")] = 0x41;
    const two = await imagesIn(join(directory.path, "two"));
    const before = treeOf(directory.path);
    const only = (...entries: readonly Made[]) => two.load(streamOf(tarOf(...entries)));
    await assert.rejects(
      two.load(streamOf(evil)),
      /Cannot load: blobs\/sha256\/[0-9a-f]+ has digest sha256:[0-9a-f]+, not sha256:/,
    );
    await assert.rejects(two.load(streamOf(archive.subarray(0, 5000))), /truncated|neither manifest/);
    await assert.rejects(
      only({ name: "manifest.json", data: '[{"Config":"x","Layers":[]}]' }),
      /has no file x/,
    );
    await assert.rejects(only({ name: "manifest.json", data: "{" }), /manifest.json: it is not valid JSON/);
    await assert.rejects(
      only({ name: "a", type: "symlink", link: "../../etc/passwd" }),
      /leads out of the archive/,
    );
    await assert.rejects(two.load(streamOf(TAR)), /neither manifest.json nor index.json/);
    assert.deepEqual(treeOf(directory.path), before);
  });
});

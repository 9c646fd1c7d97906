import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { decompressed } from "../../src/image/compression.ts";
import { packTree } from "../../src/image/tar/pack.ts";
import { unpack } from "../../src/image/tar/unpack.ts";
import { runPlan } from "../../src/plan/run.ts";
import { bytesOf, scratch, streamOf, tarOf } from "./scratch.ts";

const root = process.getuid?.() === 0 ? false : "needs root";

/** A tree with what archives find hard. */
const TREE = `
mkdir -p src/deep && cd src
echo hi > plain && ln plain deep/hard && ln -s ../plain deep/soft
long=$(printf 'x%.0s' $(seq 180)); mkdir -p "$long/$long"; echo l > "$long/$long/file"; ln -s "$long/$long/file" longlink
touch "$(printf 'not-\\377-utf8')" 'ünïcode' 'with space' 'new
line'
mknod null c 1 3; mkfifo pipe; mknod disk b 8 300
chmod 4711 plain; chown 1234567:7654321 deep; chmod 2775 deep
truncate -s 100M sparse; printf head | dd of=sparse conv=notrunc status=none; printf tail | dd of=sparse conv=notrunc bs=1 seek=70000000 status=none
setfattr -n user.binary -v 0x00ff0a3d00 plain; setfattr -n user.dir -v d deep
touch -d @1700000000.25 plain; touch -h -d @1600000000 deep/soft; touch -d @-5 'with space'
`;

function shell(script: string, cwd: string): string {
  return execFileSync("bash", ["-ec", script], { cwd, encoding: "latin1" });
}

/** Everything about a tree that an archive is to keep. */
function look(directory: string): string {
  return shell(
    "find . -printf '%P|%y|%m|%U|%G|%n|%s|%TY%Tm%Td%TH%TM|%l\\n' | LC_ALL=C sort; stat -c '%t:%T' null disk; getfattr -d -e hex plain deep | sort; sha256sum < sparse; test $(du -k sparse | cut -f1) -lt 1000",
    directory,
  ).replace(/^\|d\|.*$/m, "");
}

const FORMATS: Readonly<Record<string, readonly string[]>> = {
  "PAX, sparse 1.0": ["--format=pax", "--xattrs", "-S"],
  "PAX, sparse 0.1": ["--format=pax", "--xattrs", "-S", "--sparse-version=0.1"],
  "PAX, sparse 0.0": ["--format=pax", "--xattrs", "-S", "--sparse-version=0.0"],
};

describe("archives of GNU tar", { skip: root }, () => {
  for (const [format, options] of Object.entries(FORMATS)) {
    it(`${format} is unpacked as it was`, async () => {
      using directory = scratch();
      shell(TREE, directory.path);
      shell(`tar -C src ${options.join(" ")} -cf a.tar .`, directory.path);
      const to = join(directory.path, "to");
      fs.mkdirSync(to);
      await unpack(fs.createReadStream(join(directory.path, "a.tar")), to, { runPlan, whiteouts: "plain" });
      assert.equal(look(to), look(join(directory.path, "src")));
    });
  }

  it("GNU format: long names, base-256 owners, old sparse files", async () => {
    using directory = scratch();
    shell(TREE, directory.path);
    shell(
      "setfattr -x user.binary src/plain; setfattr -x user.dir src/deep; tar -C src --format=gnu -S -cf a.tar .",
      directory.path,
    );
    const to = join(directory.path, "to");
    fs.mkdirSync(to);
    await unpack(fs.createReadStream(join(directory.path, "a.tar")), to, { runPlan, whiteouts: "plain" });
    assert.equal(look(to), look(join(directory.path, "src")));
  });

  it("what we write, GNU tar reads as it was", async () => {
    using directory = scratch();
    shell(TREE, directory.path);
    shell("truncate -s 10000 src/sparse", directory.path);
    const tar = join(directory.path, "ours.tar");
    fs.writeFileSync(tar, await bytesOf(packTree(join(directory.path, "src"), { runPlan })));
    shell("mkdir to && tar -C to --xattrs --xattrs-include='*' -S -xpf ours.tar", directory.path);
    assert.equal(look(join(directory.path, "to")), look(join(directory.path, "src")));
  });
});

describe("compression", () => {
  const tar = tarOf({ name: "file", data: "hello ".repeat(50_000) });
  const filters: Record<string, () => Buffer> = {
    none: () => tar,
    gzip: () => gzipSync(tar),
    "gzip of several members": () =>
      Buffer.concat([gzipSync(tar.subarray(0, 700)), gzipSync(tar.subarray(700))]),
    zstd: () => zstdCompressSync(tar),
    "zstd of several frames": () =>
      Buffer.concat([zstdCompressSync(tar.subarray(0, 700)), zstdCompressSync(tar.subarray(700))]),
  };
  for (const program of ["xz", "bzip2"]) {
    const { status } = spawnSync(program, ["--version"], { stdio: "ignore" });
    if (status === 0) filters[program] = () => execFileSync(program, ["-c"], { input: tar });
  }
  for (const [name, compress] of Object.entries(filters)) {
    it(`${name} is recognised by its first bytes`, async () => {
      const { stream, compression } = await decompressed(streamOf(compress(), 333));
      assert.equal(compression, name.split(" ")[0]);
      assert.ok((await bytesOf(stream)).equals(tar));
    });
  }
});

// Safe beside other test files.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { imagesIn, type Made, scratch, streamOf, tarOf, treeOf } from "./scratch.ts";

const root = process.getuid?.() === 0 ? false : "needs root";

/** What is refused, and what the one sentence has to say. */
const REFUSED: readonly (readonly [string, Buffer, RegExp])[] = [
  [
    "a name with ..",
    tarOf({ name: "a/../../evil", data: "x" }),
    /Cannot unpack "a\/\.\.\/\.\.\/evil": its name leads out/,
  ],
  [
    "an absolute name",
    tarOf({ name: "/etc/evil", data: "x" }),
    /Cannot unpack "\/etc\/evil": its name is absolute/,
  ],
  [
    "a link that leads out",
    tarOf({ name: "a", type: "symlink", link: "../../etc" }),
    /"a": it is a symbolic link that leads out/,
  ],
  [
    "a path through a link that leads out",
    tarOf(
      { name: "d/", type: "directory" },
      { name: "d/up", type: "symlink", link: ".." },
      { name: "d/up/../../evil", data: "" },
    ),
    /leads out/,
  ],
  [
    "a hard link to an absolute path",
    tarOf({ name: "a", type: "hardlink", link: "/etc/shadow" }),
    /"a": it is a hard link to an absolute path/,
  ],
  [
    "a hard link with ..",
    tarOf({ name: "a", type: "hardlink", link: "../../etc/shadow" }),
    /"a": it is a hard link to a path outside/,
  ],
  [
    "a hard link to nothing that came before",
    tarOf({ name: "a", type: "hardlink", link: "b" }),
    /has not had yet/,
  ],
  [
    "an entry below a device",
    tarOf({ name: "sda", type: "block", major: 8, minor: 0 }, { name: "sda/x", data: "" }),
    /its parent sda is not a directory/,
  ],
  ["a device no kernel has", tarOf({ name: "d", type: "char", major: 70000, minor: 0 }), /no device 70000:0/],
  [
    "a device that would be a whiteout",
    tarOf({ name: "d", type: "char" }),
    /would hide files of other layers/,
  ],
  [
    "an attribute of the storage",
    tarOf({ name: "d", xattrs: new Map([["trusted.overlay.redirect", Buffer.from("/etc")]]) }),
    /trusted\.overlay\.redirect belongs to the storage/,
  ],
  ["a whiteout of ..", tarOf({ name: "a/.wh..." }), /it hides no valid name/],
  ["a NUL in a PAX name", paxOf("path", "a\0b"), /holds a NUL byte/],
  ["an absurd size", paxOf("size", "99999999999999999999"), /its size .* makes no sense/],
  ["a negative size", paxOf("size", "-5"), /its size .* makes no sense/],
  ["a size that is no number", paxOf("size", "many"), /size is not a number/],
  ["a malformed extended header", tarOf({ name: "x", data: "" }).fill("g", 156, 157), /no tar header/],
  ["a file that is no archive", Buffer.from("hello ".repeat(200)), /no tar header at byte 0/],
  ["nothing", Buffer.alloc(0), /it is empty or truncated/],
  [
    "a truncated archive",
    tarOf({ name: "big", data: "x".repeat(5000) }).subarray(0, 3000),
    /"big": the archive is truncated/,
  ],
  [
    "truncated gzip",
    gzipSync(tarOf({ name: "a", data: "x" })).subarray(0, -12),
    /gzip data is damaged or truncated/,
  ],
  [
    "damaged zstd",
    damaged(zstdCompressSync(tarOf({ name: "a", data: "x".repeat(9999) }))),
    /zstd data is damaged|no tar header/,
  ],
];

/** An entry whose extended header says something special. */
function paxOf(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(key) + Buffer.byteLength(value) + 3;
  const length = String(rest + 3).length + rest;
  const record = `${length} ${key}=${value}\n`;
  const extended = tarOf({ name: "PaxHeaders/x", data: record }).subarray(0, 1024);
  extended.write("x", 156);
  return Buffer.concat([withSum(extended), tarOf({ name: "plain", data: "x" })]);
}

function withSum(header: Buffer): Buffer {
  header.fill(" ", 148, 156);
  let sum = 0;
  for (const byte of header.subarray(0, 512)) sum += byte;
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}

function damaged(bytes: Buffer): Buffer {
  bytes.fill(0xff, 8, 24);
  return bytes;
}

describe("archives that are refused", { skip: root }, () => {
  for (const [what, tar, sentence] of REFUSED) {
    it(what, async () => {
      using directory = scratch();
      const images = await imagesIn(directory.path);
      const before = treeOf(directory.path);
      await assert.rejects(images.import(streamOf(tar), { repo: "evil" }), sentence);
      assert.deepEqual(treeOf(directory.path), before, "nothing half-made is left");
      assert.equal(images.find("evil"), undefined);
    });
  }

  it("stops at a bomb of headers", async () => {
    using directory = scratch();
    const images = await imagesIn(directory.path);
    const one = tarOf({ name: "L", data: "x".repeat(400) }).subarray(0, 1024);
    one.write("L", 156);
    const bomb = Buffer.concat(Array.from({ length: 200 }, () => withSum(one)));
    await assert.rejects(images.import(streamOf(bomb)), /too many extended headers before one entry/);
    const huge = tarOf({ name: "L", size: 2 ** 32 }).subarray(0, 512);
    huge.write("x", 156);
    await assert.rejects(images.import(streamOf(withSum(huge))), /larger than 4 MiB/);
  });
});

describe("links inside of a layer", { skip: root }, () => {
  it("are followed below the layer's root, absolute ones too", async () => {
    using directory = scratch();
    const images = await imagesIn(directory.path);
    const entries: readonly Made[] = [
      { name: "usr/bin/", type: "directory" },
      { name: "bin", type: "symlink", link: "usr/bin" },
      { name: "sbin", type: "symlink", link: "/usr/bin" },
      { name: "bin/one", data: "1" },
      { name: "sbin/two", data: "2" },
      { name: "bin/three", type: "hardlink", link: "sbin/two" },
    ];
    await images.import(streamOf(tarOf(...entries)), { repo: "links" });
    const view = images.driver.view(images.get("links").chain);
    assert.deepEqual(view.names("usr/bin").sort(), ["one", "three", "two"]);
    assert.equal(view.lookup("usr/bin/three")?.stat.nlink, 2);
    assert.equal(fs.existsSync(join("/usr/bin", "one")), false);
  });
});

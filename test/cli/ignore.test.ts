import assert from "node:assert/strict";
import { test } from "node:test";
import { ignoreRegExp } from "../../src/cli/build/pattern.ts";
import { placement } from "../../src/cli/copy/path.ts";
import { deepGlob } from "../../src/oci/glob.ts";
import { parseIgnore } from "../../src/oci/ignore.ts";

// The command line's own files and what an engine is sent are read by the same rules, the latter without haste.
for (const [who, compile] of [
  ["command line", ignoreRegExp],
  ["engine", deepGlob],
] as const)
  test(`.dockerignore: the last pattern that matches a path or its parent decides (${who})`, () => {
    const { excluded } = parseIgnore(
      "# c\n/dist\n*.log\n**/*.tmp\nsub/*\n!sub/keep\na?c\n[xy]z\nany/**/end\n\n",
      compile,
    );
    const out = [
      "dist",
      "dist/a/b",
      "x.log",
      "d/e/f.tmp",
      "f.tmp",
      "sub/other",
      "abc",
      "xz",
      "any/end",
      "any/a/b/end",
    ];
    const kept = ["d/x.log", "sub", "sub/keep", "sub/keep/in", "ac", "zz", "distx", "anyend", "any/bend"];
    for (const path of out) assert.equal(excluded(path), true, path);
    for (const path of kept) assert.equal(excluded(path), false, path);
    assert.throws(() => parseIgnore("[a", compile), /Cannot read the pattern/);
  });

test("a pattern that was sent to the engine keeps it busy for no time", () => {
  const begun = performance.now();
  const { excluded } = parseIgnore(`${"**a".repeat(40)}b`, deepGlob);
  assert.equal(excluded("a".repeat(4000)), false);
  assert.ok(performance.now() - begun < 20_000);
});

test("where cp puts what: the rules of cp -r", () => {
  const at = (source: string, directory: boolean, target: string, now: "none" | "file" | "directory") =>
    placement({
      source: { path: source, directory },
      target: { path: target, exists: now !== "none", directory: now === "directory" },
    });
  assert.deepEqual(at("a/f", false, "/d", "directory"), { directory: "/d", name: "f" });
  assert.deepEqual(at("a/f", false, "/d/g", "none"), { directory: "/d", name: "g" });
  assert.deepEqual(at("a/f", false, "/d/g", "file"), { directory: "/d", name: "g" });
  assert.deepEqual(at("a/d", true, "/d", "directory"), { directory: "/d", name: "d" });
  assert.deepEqual(at("a/d/.", true, "/d", "directory"), { directory: "/d", name: "" });
  assert.deepEqual(at("a/d/", true, "/n/", "none"), { directory: "/", name: "n" });
  assert.throws(() => at("a/d", true, "/f", "file"), /cannot copy directory/);
  assert.throws(() => at("a/f", false, "/n/", "none"), /no such directory/);
  assert.throws(() => at("a/f", false, "/f/", "file"), /not a directory/);
});

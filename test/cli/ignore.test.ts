import assert from "node:assert/strict";
import { test } from "node:test";
import { parseIgnore } from "../../src/cli/build/ignore.ts";
import { placement } from "../../src/cli/copy/path.ts";

test(".dockerignore: the last pattern that matches a path or its parent decides", () => {
  const { excluded } = parseIgnore("# c\n/dist\n*.log\n**/*.tmp\nsub/*\n!sub/keep\na?c\n[xy]z\n\n");
  const out = ["dist", "dist/a/b", "x.log", "d/e/f.tmp", "f.tmp", "sub/other", "abc", "xz"];
  const kept = ["d/x.log", "sub", "sub/keep", "sub/keep/in", "ac", "zz", "distx"];
  for (const path of out) assert.equal(excluded(path), true, path);
  for (const path of kept) assert.equal(excluded(path), false, path);
  assert.throws(() => parseIgnore("[a"), /without its \]/);
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

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { IMPORTER } from "./importer.ts";
import { imagesIn, scratch, tarOf, treeOf } from "./scratch.ts";

const root = process.getuid?.() === 0 ? false : "needs root";

/** A tar of many files, so that an import takes a while; `mark` makes it another one. */
function manyFiles(count: number, mark: string): Buffer {
  const entries = Array.from({ length: count }, (_, i) => ({
    name: `d${i % 50}/file-${i}`,
    data: mark.repeat(i % 3000),
  }));
  return tarOf(...entries, { name: "null", type: "char", major: 1, minor: 3 });
}

describe("an engine that is killed in the middle of an import", { skip: root }, () => {
  it("leaves the old state, whenever it dies, and the next one removes the rest", async () => {
    using directory = scratch();
    const [one, other] = [join(directory.path, "one.tar"), join(directory.path, "other.tar")];
    fs.writeFileSync(one, manyFiles(1500, "x"));
    fs.writeFileSync(other, manyFiles(1500, "y"));
    const first = await imagesIn(directory.path);
    const old = await first.import(fs.createReadStream(one), { repo: "old" });
    const clean = treeOf(join(directory.path, "root"));
    for (const fraction of [0.02, 0.4, 0.8, 0.999]) {
      const child = spawn(
        process.execPath,
        [IMPORTER, join(directory.path, "root"), other, String(fraction)],
        {
          stdio: ["ignore", "pipe", "inherit"],
        },
      );
      // It says when it has been given that much of the archive, and waits.
      await once(child.stdout, "data");
      child.kill("SIGKILL");
      await once(child, "exit");
      assert.notDeepEqual(treeOf(join(directory.path, "root")), clean, "it had begun");
      const next = await imagesIn(directory.path);
      assert.deepEqual(next.damaged(), []);
      assert.equal(next.find("new"), undefined);
      assert.equal(next.get("old").id, old);
      assert.deepEqual(treeOf(join(directory.path, "root")), clean);
    }
  });
});

describe("a full disk", { skip: root }, () => {
  it("is said in one sentence, and nothing half-made is left", () => {
    using directory = scratch();
    const tar = join(directory.path, "many.tar");
    fs.writeFileSync(tar, manyFiles(4000, "x"));
    fs.mkdirSync(join(directory.path, "small"));
    // The small file system is in a mount namespace of its own, which ends with the import.
    const script = 'mount -t tmpfs -o size=4m none "$1"; exec "$2" "$3" "$1/root" "$4" full';
    const args = [
      "-m",
      "sh",
      "-ec",
      script,
      "sh",
      join(directory.path, "small"),
      process.execPath,
      IMPORTER,
      tar,
    ];
    const { stdout, stderr, status } = spawnSync("unshare", args, { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    const { error, before, after } = JSON.parse(stdout) as {
      error: string;
      before: string[];
      after: string[];
    };
    assert.match(error, /^Cannot .*no space left on device: free some/);
    assert.deepEqual(after, before);
  });
});

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { unnamedPrograms } from "../../src/host/unnamed.ts";
import { call, num } from "../../src/plan/build.ts";
import { compile } from "../../src/plan/compile.ts";
import { needs, root } from "../support/skip.ts";

const directory = mkdtempSync(join(tmpdir(), "cais-unnamed-"));
after(() => rmSync(directory, { recursive: true, force: true }));

/** Ends with a status that nothing else ends with. */
const { elf } = compile({ steps: [call("exit_group", [num(42)], "end")] });

const statusOf = (path: string): number => {
  try {
    execFileSync(path);
    return 0;
  } catch (error) {
    const { code, status } = error as { code?: string; status?: number | null };
    if (code !== undefined) throw error;
    return status ?? -1;
  }
};

test("a program without a name runs, and nothing of it is left", () => {
  const before = readdirSync(directory);
  assert.equal(unnamedPrograms([directory])(elf, statusOf), 42);
  assert.deepEqual(readdirSync(directory), before);
});

test("places from which nothing can be executed are passed over, and not tried again", needs(root()), () => {
  const noexec = join(directory, "noexec");
  mkdirSync(noexec);
  execFileSync("mount", ["-t", "tmpfs", "-o", "noexec", "tmpfs", noexec]);
  try {
    const tried: string[] = [];
    const run = unnamedPrograms([join(directory, "absent"), noexec], directory);
    const look = (path: string) => {
      tried.push(path);
      return statusOf(path);
    };
    assert.equal(run(elf, look), 42);
    assert.equal(tried.length, 2, "the noexec one, and the one after it");
    assert.equal(run(elf, look), 42);
    assert.equal(tried.length, 3);
  } finally {
    execFileSync("umount", [noexec]);
  }
});

test("where no place will do, the last reason is told", () => {
  const run = unnamedPrograms([join(directory, "absent")]);
  assert.throws(() => run(elf, statusOf), { code: "ENOENT" });
});

test("what fails for another reason is not tried elsewhere", () => {
  let times = 0;
  const failing = () => {
    times++;
    throw Object.assign(new Error("no"), { code: "EAGAIN" });
  };
  assert.throws(() => unnamedPrograms([directory, directory])(elf, failing), { code: "EAGAIN" });
  assert.equal(times, 1);
});

test("the file can be read, not written, by who runs it", () => {
  const bytes = unnamedPrograms([directory])(elf, (path) => {
    const file = openSync(path, "r");
    try {
      return readFileSync(file);
    } finally {
      closeSync(file);
    }
  });
  assert.deepEqual(new Uint8Array(bytes), new Uint8Array(elf));
});

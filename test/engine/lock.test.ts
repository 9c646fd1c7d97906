import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { lockRoot } from "../../src/engine/lock.ts";
import { readStat } from "../../src/kernel/process.ts";

/** Who may work on a root directory. */
const note = (root: string, pid: number) =>
  writeFileSync(join(root, "engine.pid"), `${pid} ${readStat(pid)?.field(22)}\n`);

async function until(so: () => boolean): Promise<void> {
  while (!so()) await new Promise((resolve) => setImmediate(resolve));
}

test("a root is free once its holder was killed, whether or not somebody has waited for it", async () => {
  const root = mkdtempSync(join(tmpdir(), "cais-lock-"));
  // cat does not wait for children it knows nothing of: one that is killed stays as a zombie.
  const script = "sleep 1000 >/dev/null & echo $!; exec cat";
  const parent = spawn("sh", ["-c", script], { stdio: ["pipe", "pipe", "inherit"] });
  try {
    const [said] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(said.toString());
    await until(() => readStat(parent.pid ?? 0)?.name === "cat");
    note(root, pid);
    await assert.rejects(lockRoot(root), /another engine/);
    process.kill(pid, "SIGKILL");
    await until(() => readStat(pid)?.field(3) === "Z");
    const lock = await lockRoot(root);
    lock.release();
  } finally {
    parent.stdin.end();
    await once(parent, "close");
    rmSync(root, { recursive: true });
  }
});

// Safe beside other test files.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "../../tools/check/sources.ts";

/** Every command pays for what the first piece of the program imports: `node:net` alone is worth eight milliseconds. */
test("what every command loads imports no module of Node", () => {
  const directory = mkdtempSync(join(tmpdir(), "cais-startup-"));
  try {
    const words = ["build", "--target=bun", "--format=esm", "--splitting", `--outdir=${directory}`];
    const built = spawnSync(process.execPath, [...words, join(ROOT, "src/cli/main.ts")], {
      encoding: "utf8",
    });
    assert.equal(built.status, 0, built.stderr);
    const seen = new Set<string>();
    const visit = (file: string): void => {
      if (seen.has(file)) return;
      seen.add(file);
      const text = readFileSync(join(directory, file), "utf8");
      for (const [, from = ""] of text.matchAll(/^(?:import|export)[^;"]*(?:from\s*)?"([^"]+)";?$/gm)) {
        assert.ok(from.startsWith("./"), `${file} imports ${from}`);
        visit(from.slice(2));
      }
    };
    visit("main.js");
  } finally {
    rmSync(directory, { recursive: true });
  }
});

// Safe beside other test files
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { checkCycles } from "../../tools/check/cycles.ts";
import { checkDocuments } from "../../tools/check/documents.ts";
import { checkImports } from "../../tools/check/imports.ts";
import { checkLengths } from "../../tools/check/lengths.ts";
import type { Source } from "../../tools/check/sources.ts";
import { checkTable } from "../../tools/check/table.ts";

const source = (path: string, text: string, imports: readonly string[] = []): Source => ({
  path,
  text,
  imports,
  loads: imports,
});
const said = (findings: readonly { path: string; line: number; what: string }[]): string[] =>
  findings.map(({ path, line, what }) => `${path}:${line}: ${what}`);

test("an import may point down, not up", () => {
  const down = source("src/plan/a.ts", 'import "../kernel/b.ts";', ["src/kernel/b.ts"]);
  const up = source("src/kernel/b.ts", '\nimport "../plan/a.ts";', ["src/plan/a.ts"]);
  assert.deepEqual(said(checkImports([down, up])), [
    "src/kernel/b.ts:2: src/kernel may not import src/plan/a.ts (allowed: nothing)",
  ]);
});

test("the command line may not import the API's server; serve may", () => {
  const imports = ["src/api/server.ts"];
  assert.equal(checkImports([source("src/cli/commands/run.ts", "", imports)]).length, 1);
  assert.equal(checkImports([source("src/cli/commands/serve.ts", "", imports)]).length, 0);
});

test("a folder without a place is refused", () => {
  assert.match(said(checkImports([source("src/helpers/a.ts", "")]))[0] ?? "", /src\/helpers has no line/);
});

test("Bun is named in src/host only; comments may name it", () => {
  const text = "// Bun.serve is not used\nexport const a = Bun.version;\n";
  assert.deepEqual(said(checkImports([source("src/plan/a.ts", text), source("src/host/a.ts", text)])), [
    "src/plan/a.ts:2: what only Bun has belongs in src/host",
  ]);
});

test("a circle of imports is named whole", () => {
  const circle = [source("a.ts", "", ["b.ts"]), source("b.ts", "", ["c.ts"]), source("c.ts", "", ["a.ts"])];
  assert.deepEqual(said(checkCycles(circle)), ["a.ts:1: imports itself: a.ts → b.ts → c.ts → a.ts"]);
});

test("an exported function wants a doc comment", () => {
  const text = [
    "/** Has one. */",
    "export function documented(): void {}",
    "export async function bare(): Promise<void> {}",
    "export const arrow = (a: number): number => a;",
    "function inner(): void {}",
  ].join("\n");
  assert.deepEqual(said(checkDocuments([source("src/plan/a.ts", text)])), [
    "src/plan/a.ts:3: bare is exported and has no doc comment",
    "src/plan/a.ts:4: arrow is exported and has no doc comment",
  ]);
});

test("the table of folders that people read is the one that is checked", () => {
  const text = readFileSync(join(import.meta.dirname, "../../ARCHITECTURE.md"), "utf8");
  assert.deepEqual(checkTable(text), []);
  const [line] = said(checkTable(text.replace("| `cgroup` |", "| `cgroup`, `network` |")));
  assert.match(line ?? "", /src\/cgroup may import .*network/);
  const short = text.replace(/^\| `plan` .*\n/m, "");
  assert.ok(
    said(checkTable(short)).includes("ARCHITECTURE.md:1: has no row for src/plan in its table of folders"),
  );
});

test("a file has 400 lines at most", () => {
  assert.equal(checkLengths([source("src/plan/a.ts", "\n".repeat(400))]).length, 0);
  assert.equal(checkLengths([source("src/plan/a.ts", "\n".repeat(401))]).length, 1);
});

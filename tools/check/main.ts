import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { checkCycles } from "./cycles.ts";
import { checkDocuments } from "./documents.ts";
import { checkImports } from "./imports.ts";
import { checkLengths } from "./lengths.ts";
import { type Finding, ROOT, readSources, type Source } from "./sources.ts";
import { checkTable } from "./table.ts";

/**
 * The one gate: types, lint and format, dead code, import direction and cycles, doc comments, file lengths.
 * Prints only what is wrong; exits 1 if anything is. `npm run check -- types imports` runs only those parts.
 */
const programs: Readonly<Record<string, readonly string[]>> = {
  types: ["tsc", "-p", "."],
  lint: ["biome", "check", "--error-on-warnings", "--log-level=warn", "."],
  // Without the command line nothing in src/ has a user yet.
  ...(existsSync(join(ROOT, "src/cli/main.ts")) && { dead: ["knip", "--no-progress", "--no-config-hints"] }),
};

const rules: Readonly<Record<string, (sources: readonly Source[]) => Finding[]>> = {
  imports: checkImports,
  table: () => checkTable(readFileSync(join(ROOT, "ARCHITECTURE.md"), "utf8")),
  cycles: checkCycles,
  documents: checkDocuments,
  lengths: checkLengths,
};

/** Runs a program of node_modules; resolves to what it said if it failed. */
function runProgram([name = "", ...args]: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const program = join(ROOT, "node_modules/.bin", name);
    const child = spawn(program, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.on("error", (error) => resolve(`Cannot run ${name}: ${error.message}; has \`npm ci\` been run?`));
    child.on("close", (code) => resolve(code === 0 ? "" : output.trim() || `${name} ended with ${code}`));
  });
}

const wanted = process.argv.slice(2);
const isWanted = ([name]: readonly [string, unknown]): boolean =>
  wanted.length === 0 || wanted.includes(name);

const running = Object.entries(programs)
  .filter(isWanted)
  .map(([name, command]) => [name, runProgram(command)] as const);

const sources = readSources();
for (const [name, rule] of Object.entries(rules).filter(isWanted)) {
  const findings = rule(sources);
  if (findings.length === 0) continue;
  process.exitCode = 1;
  console.log(`${name}:`);
  for (const { path, line, what } of findings) console.log(`  ${path}:${line}: ${what}`);
}
for (const [name, result] of running) {
  const output = await result;
  if (output === "") continue;
  process.exitCode = 1;
  console.log(`${name}:\n${output}`);
}

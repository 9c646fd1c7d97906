import { randomUUID } from "node:crypto";
import { chmodSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { busyboxMissing, busyboxTar, debianMissing, debianTar } from "../../test/support/fixtures.ts";
import { describeDifference, lookAtMachine, settledDifferences } from "../../test/support/machine.ts";
import { ROOT } from "../check/sources.ts";
import { type FileResult, runFile, type Skip } from "./file.ts";
import { installPackages } from "./packages.ts";

/**
 * `npm test [-- PATTERN…]`: installs what the tests need, makes the fixtures, runs every test file whose path
 * contains a pattern in a process of its own, and looks at the machine before and after: what a test leaves
 * behind is a failed test. The last line is `N passed, N failed, N skipped`.
 */
process.chdir(ROOT);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));
const patterns = process.argv.slice(2);
const files = globSync("test/**/*.test.ts")
  .filter((path) => patterns.length === 0 || patterns.some((pattern) => path.includes(pattern)))
  .sort(
    (a, b) => Number(a.startsWith("test/e2e/")) - Number(b.startsWith("test/e2e/")) || a.localeCompare(b),
  );

const uninstalled = installPackages();
if (uninstalled !== undefined) console.log(uninstalled);
makeFixtures();

const scratch = mkdtempSync(join(tmpdir(), "cais-report-"));
const temporary = mkdtempSync(join(tmpdir(), "cais-test-"));
chmodSync(temporary, 0o711);
// The mark is how processes that tests leave behind are told from the machine's others.
const mark = randomUUID();
process.env.CAIS_TEST_MARK = mark;
process.env.TMPDIR = temporary;
const before = lookAtMachine();

/** Files that say they may run beside others; the rest have the machine for themselves. */
const isSafe = (path: string): boolean =>
  /^\/\/ Safe beside other test files/m.test(readFileSync(path, "utf8"));
const AT_ONCE = 2;

const count = { passed: 0, failed: 0, skipped: 0 };
const skips: (Skip & { path: string })[] = [];

const queue = files.filter(isSafe);
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (let path = queue.shift(); path !== undefined; path = queue.shift()) await runAndReport(path);
  }),
);
for (const path of files.filter((path) => !isSafe(path))) await runAndReport(path);

const left = await settledDifferences(before);
if (left.length === 0) count.passed++;
else {
  count.failed++;
  console.log(
    `\nfailed: the machine is as it was\n${left.map((one) => `  ${describeDifference(one)}`).join("\n")}`,
  );
}
rmSync(temporary, { recursive: true, force: true });
rmSync(scratch, { recursive: true, force: true });

if (skips.length > 0) console.log("\nSkipped:");
for (const { path, name, reason } of skips) console.log(`  ${path}: ${name}: ${reason}`);
if (files.length === 0) console.log(`No test file's path contains ${patterns.join(" or ")}`);
if (count.failed > 0 || files.length === 0) process.exitCode = 1;
console.log(`\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);

async function runAndReport(path: string): Promise<void> {
  const result = await runFile(path, scratch, process.env);
  const { cases, problem } = result;
  const amount = (wanted: string): number => cases.filter((one) => one.result === wanted).length;
  const failed = amount("failed") + (problem === undefined ? 0 : 1);
  count.passed += amount("passed");
  count.failed += failed;
  count.skipped += amount("skipped");
  skips.push(...result.skips.map((skip) => ({ ...skip, path })));
  console.log(summary(result, failed));
  if (failed > 0)
    console.log(`${result.output}${problem === undefined ? "" : `\nfailed: ${path} ${problem}`}\n`);
}

function summary({ path, cases, seconds }: FileResult, failed: number): string {
  const skipped = cases.filter(({ result }) => result === "skipped").length;
  const passed = cases.filter(({ result }) => result === "passed").length;
  const parts = [`${passed} passed`, failed > 0 && `${failed} failed`, skipped > 0 && `${skipped} skipped`];
  return `${failed > 0 ? "✗" : "✓"} ${path}: ${parts.filter(Boolean).join(", ")} (${seconds.toFixed(1)} s)`;
}

/** Makes the root file systems now: the tests find them in the cache. */
function makeFixtures(): void {
  mkdirSync(join(ROOT, ".cache"), { recursive: true });
  if (busyboxMissing() === undefined) busyboxTar();
  if (debianMissing() !== undefined) return;
  try {
    debianTar();
  } catch (error) {
    process.env.CAIS_TEST_NO_DEBIAN = "1";
    console.log(error instanceof Error ? error.message : String(error));
  }
}

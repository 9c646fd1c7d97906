import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseJunit, type TestCase } from "./junit.ts";

/** How one test file went. */
export interface FileResult {
  readonly path: string;
  readonly cases: readonly TestCase[];
  /** Everything it printed; shown when something failed. */
  readonly output: string;
  /** What went wrong beyond single tests: it crashed, hung, or has no tests. */
  readonly problem?: string;
  readonly seconds: number;
  readonly skips: readonly Skip[];
}

/** A skipped test and why. */
export interface Skip {
  readonly name: string;
  readonly reason: string;
}

/** Longest that one test may take, and one file; both are for what hangs, not for what is slow. */
const TEST_TIMEOUT = 180_000;
const FILE_TIMEOUT = 600_000;

/** Runs one test file in a process group of its own, which is killed if it is not done in time. */
export function runFile(path: string, scratch: string, env: NodeJS.ProcessEnv): Promise<FileResult> {
  const id = path.replaceAll(/[/.]/g, "-");
  const report = join(scratch, `${id}.xml`);
  const skips = join(scratch, `${id}.skips`);
  const started = performance.now();
  return new Promise((resolve) => {
    const reporter = ["--reporter=junit", `--reporter-outfile=${report}`];
    const child = spawn(process.execPath, ["test", `./${path}`, `--timeout=${TEST_TIMEOUT}`, ...reporter], {
      env: { ...env, CAIS_TEST_SKIPS: skips },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (chunk) => (output += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk) => (output += chunk));
    let hung = false;
    const killGroup = (): void => {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    };
    const timer = setTimeout(() => {
      hung = true;
      killGroup();
    }, FILE_TIMEOUT);
    process.once("exit", killGroup);
    // Not "close": a daemon that a test left behind may hold the pipes.
    child.on("exit", (code, signal) => {
      clearTimeout(timer);
      process.off("exit", killGroup);
      const cases = existsSync(report) ? parseJunit(readFileSync(report, "utf8")) : [];
      const anyFailed = cases.some(({ result }) => result === "failed");
      const problem = hung
        ? `was not done after ${FILE_TIMEOUT / 1000} s and was killed`
        : signal
          ? `was ended by ${signal}`
          : code !== 0 && !anyFailed
            ? `ended with ${code} without a failed test`
            : cases.length === 0
              ? "has no tests"
              : undefined;
      const result = {
        path,
        cases,
        skips: readSkips(path, skips, cases),
        seconds: (performance.now() - started) / 1000,
      };
      for (const file of [report, skips]) rmSync(file, { force: true });
      setImmediate(() => resolve({ ...result, output, ...(problem !== undefined && { problem }) }));
    });
  });
}

/**
 * Joins the skipped tests with their reasons: what `test/support/skip.ts` noted in the lines of the test, or
 * before the first test for the whole file, or what the test's own source says.
 */
function readSkips(path: string, file: string, cases: readonly TestCase[]): Skip[] {
  const noted = existsSync(file)
    ? readFileSync(file, "utf8")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as { line: number; reason: string })
    : [];
  const source = readFileSync(path, "utf8").split("\n");
  const lines = cases.map(({ line }) => line).sort((a, b) => a - b);
  return cases
    .filter(({ result }) => result === "skipped")
    .map(({ name, line }) => {
      const next = lines.find((other) => other > line) ?? Number.POSITIVE_INFINITY;
      const said = /skip(?::|\()\s*"([^"]*)"/.exec(source.slice(line - 1, next - 1).join("\n"))?.[1];
      const reason =
        noted.find((note) => note.line >= line && note.line < next)?.reason ??
        said ??
        noted.find((note) => note.line < (lines[0] ?? 0))?.reason;
      return { name, reason: reason ?? "no reason given (test/support/skip.ts gives one)" };
    });
}

import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { candidates } from "../container/launch/workload.ts";
import { accompany, type ExitCode, execute, type Handed } from "../host/execute.ts";
import { unnamedPrograms } from "../host/unnamed.ts";
import type { Process } from "../oci/runtime/spec.ts";
import { compile, type Program } from "../plan/compile.ts";
import { callName, cannotExecute, StepError } from "../plan/error.ts";
import type { Plan } from "../plan/step.ts";
import { CALLER_FILES } from "../wire/runtime.ts";
import { RuntimeError } from "./failure.ts";
import { hookFailure } from "./hook-end.ts";
import { hookOutput } from "./output.ts";
import type { LateStep } from "./store.ts";

/** Running the launch program of a container that is left to the caller. */

/** A compiled plan and what it runs for. */
export interface Launch {
  readonly program: Program;
  readonly process: Process;
  /** Where its report is; see container/launch/caller.ts. */
  readonly directory: string;
  readonly preserve: number;
}

/** Compile a plan for `launch`. */
export function prepare(plan: Plan, process: Process, directory: string, preserve: number): Launch {
  return { program: compile(plan), process, directory, preserve };
}

/** The steps after the wait for the order to start, by number. */
export function lateSteps({ program }: Launch): Record<string, LateStep> {
  const waits = program.steps.findIndex(({ step }) => step.kind === "call" && step.why === WAIT);
  if (waits < 0) return {};
  const late = program.steps.entries().filter(([number, { side }]) => number > waits && side === "container");
  return Object.fromEntries(
    late.map(([number, { step }]) => {
      const { hint, why } = step;
      return [
        number,
        {
          why,
          call: callName(step),
          ...(hint === undefined ? {} : { hint }),
          ...(step.kind === "hook" ? { hook: { name: step.name, path: step.path } } : {}),
        },
      ];
    }),
  );
}

const WAIT = "wait for the order to start";

/**
 * Run it to its end: until the container is created, or has been handed over.
 * @throws RuntimeError for a step that failed: what was made before it is undone then
 */
export function launch(it: Launch): void {
  const code = withFile(it.program, (path) => execute(path, handed(it)));
  // The code alone does not say: the low bits of a hook's status may all be zero.
  const report = reportOf(it);
  if (code !== 0 || report !== undefined) throw failureOf(it, code, report);
}

/**
 * The same for a program that stays until its process has ended; resolves to how that ended.
 * @throws RuntimeError as above
 */
export async function launchAndWait(it: Launch): Promise<ExitCode> {
  const code = await withFile(it.program, (path) => accompany(path, handed(it), FORWARDED));
  const report = reportOf(it);
  if (report !== undefined) throw failureOf(it, code, report);
  return code;
}

const handed = ({ preserve }: Launch): Handed => ({ name: "cais-runtime-launch", preserve });

/** What a person or a supervisor sends; not what the kernel tells a process about itself. */
const FORWARDED: readonly NodeJS.Signals[] = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGTERM",
  "SIGUSR1",
  "SIGUSR2",
  "SIGCONT",
];

/** Memory, then what is on every machine. */
const LAST = "/tmp";
const runUnnamed = unnamedPrograms(["/dev/shm", "/run", "/var/tmp", LAST]);

/** The program as a file that has no name. */
export function withFile<T>({ elf }: Program, run: (path: string) => T): T {
  try {
    return runUnnamed(elf, run);
  } catch (error) {
    throw cannotExecute(LAST, error);
  }
}

interface Report {
  readonly step: number;
  readonly errno: number;
}

/** Which step failed, and why; undefined where none did. */
function reportOf({ directory }: Launch): Report | undefined {
  const file = join(directory, CALLER_FILES.report);
  try {
    const report = readFileSync(file);
    rmSync(file, { force: true });
    return report.length < 16
      ? undefined
      : { step: Number(report.readBigInt64LE(0)), errno: -Number(report.readBigInt64LE(8)) };
  } catch {
    return undefined;
  }
}

function failureOf(it: Launch, code: ExitCode, report: Report | undefined): RuntimeError {
  const failed = report === undefined ? undefined : it.program.steps[report.step];
  if (report === undefined || failed === undefined)
    return new RuntimeError(
      `unable to start container process: the launch program ended with status ${code}`,
    );
  if (failed.step.kind === "hook")
    return new RuntimeError(
      `unable to start container process: ${hookFailure(failed.step, report.errno, hookOutput(it.directory))}`,
    );
  const error = new StepError(report.step, failed, report.errno);
  const told =
    failed.step.kind === "lookup" || failed.step.kind === "exec"
      ? executionError(it.process, failed.step.kind, error.errno, error.hint)
      : error.message;
  return new RuntimeError(`unable to start container process: ${told}`);
}

/** In the words of Go's `os/exec`: dockerd and podman choose their exit code (126, 127) by them. */
export function executionError(
  process: Process,
  found: "lookup" | "exec",
  errno: string,
  hint?: string,
): string {
  const [name = ""] = process.args ?? [];
  const quoted = JSON.stringify(name);
  // It was there when it was looked for: what it names to be run by is not.
  if (errno === "ENOENT" && found === "exec") return `exec ${name}: no such file or directory`;
  if (errno === "ENOENT")
    return candidates(process).length === 1 && name.includes("/")
      ? `exec: ${quoted}: stat ${name}: no such file or directory`
      : `exec: ${quoted}: executable file not found in $PATH`;
  if (errno === "EACCES") return `exec: ${quoted}: permission denied`;
  if (errno === "ENOEXEC") return `exec ${name}: exec format error`;
  return `exec: ${quoted}: ${errno}${hint === undefined ? "" : `; ${hint}`}`;
}

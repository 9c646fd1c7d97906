import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmdirSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CompileOptions, compile } from "./compile.ts";
import { cannotExecute, StepError } from "./error.ts";
import type { Plan } from "./step.ts";

export interface RunOptions extends CompileOptions {
  /**
   * Where the program is written: a file system that allows execution, a directory that only root can write to.
   * A directory of its own, below the temporary one, where it is absent.
   */
  readonly directory?: string;
  /** What the program's calls read from descriptor 0. */
  readonly input?: Uint8Array;
  /** Runs the program, for another architecture than this machine's. */
  readonly interpreter?: string;
}

/** What the program wrote to descriptor 1. */
export interface RunResult {
  readonly output: Uint8Array;
}

let counter = 0;

/** Write a program to a new file, for its owner to execute. */
export function writeProgram(path: string, elf: Uint8Array): void {
  writeFileSync(path, elf, { mode: 0o700, flag: "wx" });
}

/**
 * Run a plan that ends by itself (no keeper). Rejects with a `StepError` when a step failed; the steps
 * before it have then been undone.
 */
export async function runPlan(plan: Plan, options: RunOptions = {}): Promise<RunResult> {
  if (options.directory !== undefined) return await runIn(options.directory, plan, options);
  // Never a known name below /tmp: who made the directory first could exchange the program.
  const directory = mkdtempSync(join(tmpdir(), "cais-plan-"));
  try {
    return await runIn(directory, plan, options);
  } finally {
    rmdirSync(directory);
  }
}

async function runIn(directory: string, plan: Plan, options: RunOptions): Promise<RunResult> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const program = compile(plan, options);
  const path = join(directory, `plan-${process.pid}-${counter++}`);
  writeProgram(path, program.elf);
  try {
    const ended = await execute(path, options);
    const record = ended.errors;
    if (record.length >= 16) {
      const view = new DataView(record.buffer, record.byteOffset, 16);
      const number = Number(view.getBigInt64(0, true));
      const failed = program.steps[number];
      if (failed === undefined) throw new Error(`A plan reported step ${number}, which it does not have`);
      throw new StepError(number, failed, -Number(view.getBigInt64(8, true)));
    }
    if (ended.code !== 0)
      throw new Error(`A plan ended with ${ended.signal ?? `status ${ended.code}`} and no record`);
    return { output: ended.output };
  } finally {
    unlinkSync(path);
  }
}

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly output: Uint8Array;
  readonly errors: Uint8Array;
}

function execute(path: string, options: RunOptions): Promise<Ended> {
  const command = options.interpreter ?? path;
  const args = options.interpreter === undefined ? [] : [path];
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"], env: {} });
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
    child.stdin.on("error", () => {
      // The program need not read its input to the end.
    });
    child.stdin.end(options.input ?? new Uint8Array());
    child.on("error", (cause) => reject(cannotExecute(command, cause)));
    child.on("close", (code, signal) => {
      resolve({ code, signal, output: Buffer.concat(output), errors: Buffer.concat(errors) });
    });
  });
}

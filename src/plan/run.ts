import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmdirSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { call, mem, num, space } from "./build.ts";
import { type CompileOptions, compile, type Program } from "./compile.ts";
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
  const program = compile(plan, options);
  const path = place(directory, program);
  try {
    const ended = await execute(path, options);
    const failed = failureOf(program, ended.errors);
    if (failed !== undefined) throw failed;
    if (ended.code !== 0)
      throw new Error(`A plan ended with ${ended.signal ?? `status ${ended.code}`} and no record`);
    return { output: ended.output };
  } finally {
    unlinkSync(path);
  }
}

/** The program as a file of its own in `directory`. */
function place(directory: string, program: Program): string {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, `plan-${process.pid}-${counter++}`);
  writeProgram(path, program.elf);
  return path;
}

/** What a program wrote to descriptor 2: the number of the step that failed, and its errno negated. */
function failureOf(program: Program, record: Uint8Array): Error | undefined {
  if (record.length < 16) return undefined;
  const view = new DataView(record.buffer, record.byteOffset, 16);
  const number = Number(view.getBigInt64(0, true));
  const failed = program.steps[number];
  if (failed === undefined) return new Error(`A plan reported step ${number}, which it does not have`);
  return new StepError(number, failed, -Number(view.getBigInt64(8, true)));
}

/** A program that stays where its plan has brought it. */
export interface Held {
  /** Its pid: `/proc/<pid>/root` is what it sees. */
  readonly pid: number;
  /** Resolves when it has ended. */
  readonly close: () => Promise<void>;
}

/**
 * Run a plan and stay after its last step until `close` is called or this process is gone: what the plan has mounted
 * in a namespace of its own lives as long. Rejects like `runPlan`.
 */
export async function holdPlan(plan: Plan, directory: string): Promise<Held> {
  const why = "stay until nobody needs it any more";
  const steps = [
    ...plan.steps,
    call("write", [num(1), mem({ kind: "text", text: "ready" }), num(5)], "say that it is there"),
    call("read", [num(0), mem(space(8, "held")), num(8)], why),
  ];
  const program = compile({ steps });
  const path = place(directory, program);
  const child = spawn(path, [], { stdio: ["pipe", "pipe", "pipe"], env: {} });
  const errors: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  try {
    await new Promise<void>((resolve, reject) => {
      child.stdout.once("data", () => resolve());
      child.on("error", (cause) => reject(cannotExecute(dirname(path), cause)));
      void ended.then(() =>
        reject(failureOf(program, Buffer.concat(errors)) ?? new Error("A plan was ended")),
      );
    });
  } finally {
    unlinkSync(path);
  }
  const close = () => {
    child.stdin.end();
    return ended;
  };
  return { pid: child.pid as number, close };
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
    child.on("error", (cause) => reject(cannotExecute(dirname(path), cause)));
    child.on("close", (code, signal) => {
      resolve({ code, signal, output: Buffer.concat(output), errors: Buffer.concat(errors) });
    });
  });
}

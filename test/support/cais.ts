import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../..");

/** The command line of the checkout, or what `CAIS_BINARY` names (the single executable). */
export const CAIS = resolve(ROOT, process.env.CAIS_BINARY ?? "bin/cais");

/** How a command ended. `code` is 128+n after signal n, as a shell has it. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where and with what a command runs. */
export interface CommandOptions {
  /** What it reads on stdin; without it stdin is `/dev/null`. */
  readonly input?: string | Uint8Array;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Called with the process once it is started, to signal it or to write to it. */
  readonly started?: (child: ChildProcess) => void;
}

/** Runs a program to its end; never throws for what the program itself does. */
export function command(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: options.env ?? process.env,
      cwd: options.cwd,
      stdio: [options.input === undefined && !options.started ? "ignore" : "pipe", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout?.setEncoding("utf8").on("data", (chunk) => (stdout += chunk));
    child.stderr?.setEncoding("utf8").on("data", (chunk) => (stderr += chunk));
    child.on("error", reject);
    child.on("close", (code, signal) => {
      resolve({ code: code ?? 128 + constants.signals[signal ?? "SIGKILL"], stdout, stderr });
    });
    options.started?.(child);
    // A command that ends without reading its input is no error of the test.
    child.stdin?.on("error", () => {});
    if (options.input !== undefined) child.stdin?.end(options.input);
  });
}

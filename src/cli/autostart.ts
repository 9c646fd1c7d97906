import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { Failure } from "./failure.ts";
import { err } from "./output.ts";

export interface EngineStart {
  readonly root: string;
  readonly run: string;
  readonly socket: string;
  readonly debug: boolean;
}

/** The descriptor of the pipe on which `serve` says that it answers: it writes one byte, or dies. */
const READY_FD = 3;

/**
 * Starts `cais serve` in a session of its own and waits until it answers.
 * @throws Failure 125 when this user cannot, or when the engine ended instead; its last words are in the text
 */
export async function startEngine(it: EngineStart): Promise<boolean> {
  if (process.geteuid?.() !== 0)
    throw new Failure(
      `Cannot start the engine: cais must be root for that, and no engine answers at ${it.socket}. Try: sudo cais …`,
      125,
    );
  mkdirSync(it.run, { recursive: true, mode: 0o711 });
  const log = join(it.run, "engine.log");
  const logFd = openSync(log, "w", 0o600);
  const { BUN_OPTIONS: _options, BUN_BE_BUN: _be, ...env } = process.env;
  const child = spawn(process.execPath, [...ownEntry(), ...serveArguments(it)], {
    cwd: "/",
    detached: true,
    stdio: ["ignore", logFd, logFd, "pipe"],
    env: { ...env, CAIS_READY_FD: String(READY_FD) },
  });
  closeSync(logFd);
  const ready = child.stdio[READY_FD] as NodeJS.ReadableStream | null;
  const answered = await new Promise<boolean>((resolve) => {
    child.once("error", () => resolve(false));
    child.once("exit", () => resolve(false));
    ready?.once("data", () => resolve(true));
    ready?.once("end", () => resolve(false));
  });
  if (!answered) {
    const said = lastWords(log);
    throw new Failure(`Cannot start the engine: ${said || "it ended at once"} (its log: ${log})`, 125);
  }
  child.unref();
  err(`cais: started the engine in the background (socket ${it.socket})\n`);
  return true;
}

/** Under `bun main.ts` the script is an argument of its own; a built executable is its own script. */
function ownEntry(): readonly string[] {
  const script = process.argv[1] ?? "";
  return basename(process.execPath).startsWith("bun") && !script.startsWith("/$bunfs") ? [script] : [];
}

function serveArguments(it: EngineStart): readonly string[] {
  const level = it.debug ? ["--log-level", "debug"] : [];
  return ["--root", it.root, "--run", it.run, "serve", ...level];
}

function lastWords(log: string): string {
  try {
    return readFileSync(log, "utf8").trim().split("\n").slice(-3).join("; ");
  } catch {
    return "";
  }
}

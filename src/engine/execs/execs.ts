import { type DetachKeys, detachKeys } from "../../container/detach.ts";
import { createHub } from "../../container/hub.ts";
import { type ExecId, newExecId } from "../../container/id.ts";
import { Refusal, reasonOf } from "../../oci/error.ts";
import { StepError } from "../../plan/error.ts";
import type { ExecConfig } from "../../wire/container.ts";
import type { ExecInspect } from "../../wire/exec.ts";
import type { Container } from "../container.ts";
import { feed, type Peer } from "../containers/attach.ts";
import { allowed } from "../containers/find.ts";
import { tell } from "../containers/tell.ts";
import type { Context } from "../context.ts";
import { factsOf } from "../facts.ts";
import { execRequest } from "../launch.ts";
import { execFailure, isExecFailure } from "../program/failure.ts";
import { conflict, invalid, notFound } from "../refuse.ts";
import type { Exec } from "./exec.ts";
import { followExec } from "./follow.ts";
import { forgetExec, saveExec } from "./records.ts";

/** Ended execs that are remembered for each container, so that their exit codes can be asked for. */
const REMEMBERED = 64;

/**
 * Prepares a process; nothing runs yet. `as` is how the request names the container, a `probe` is a health check:
 * a later engine ends it.
 */
export function createExec(
  context: Context,
  container: Container,
  config: ExecConfig,
  { as = container.record.id, probe = false }: { readonly as?: string; readonly probe?: boolean } = {},
): ExecId {
  allowed(container, "exec", as);
  if (!config.Cmd || config.Cmd.length === 0) throw invalid("No exec command specified");
  if (typeof detachKeys(config.DetachKeys ?? "") === "string") {
    throw new Refusal("failed", `Invalid escape keys (${config.DetachKeys?.slice(0, 80)}) provided`);
  }
  // A user that is not there is refused now, as Docker does.
  if (config.User) factsOf(context, container.record, config.User);
  const exec: Exec = {
    id: newExecId(),
    container,
    config,
    running: null,
    started: false,
    starting: null,
    pid: 0,
    exitCode: null,
    hub: null,
    probe,
  };
  saveExec(context, exec);
  context.execs.set(exec.id, exec);
  container.execs ??= new Set();
  container.execs.add(exec.id);
  forgetOldest(context, container);
  tell(context, container.record, `exec_create: ${commandOf(exec)}`, { execID: exec.id });
  return exec.id;
}

/** As events have it: there is a space after the program, also where nothing follows. */
const commandOf = ({ config }: Exec): string => {
  const [program = "", ...args] = config.Cmd ?? [];
  return `${program} ${args.join(" ")}`;
};

function forgetOldest(context: Context, container: Container): void {
  if (!container.execs || container.execs.size <= REMEMBERED) return;
  for (const id of container.execs) {
    if (context.execs.get(id)?.exitCode === null) continue;
    container.execs.delete(id);
    context.execs.delete(id);
    forgetExec(context, id);
    return;
  }
}

/** @throws Refusal (404) */
export function findExec(context: Context, id: string): Exec {
  const exec = context.execs.get(id as ExecId);
  if (!exec) throw notFound(`No such exec instance: ${id.slice(0, 80)}`);
  return exec;
}

/** @throws Refusal (409) when it has run already, or its container cannot take it now */
export function checkExec(exec: Exec): void {
  if (exec.exitCode !== null) throw conflict(`exec command ${exec.id} has already run`);
  if (exec.started) throw conflict(`exec command ${exec.id} is already running`);
  allowed(exec.container, "exec");
}

export interface ExecStartOptions {
  /** Null: it runs with nobody attached. */
  readonly peer: Peer | null;
  readonly detach: DetachKeys | null;
  readonly size: { readonly rows: number; readonly columns: number } | null;
}

/**
 * Starts it.
 * @returns the promise of its end
 */
export async function startExec(
  context: Context,
  exec: Exec,
  options: ExecStartOptions,
): Promise<{ readonly ended: Promise<void> }> {
  checkExec(exec);
  exec.started = true;
  const { container, config } = exec;
  const { record } = container;
  tell(context, record, `exec_start: ${commandOf(exec)}`, { execID: exec.id });
  const target = container.running;
  if (!target) throw conflict(`container ${record.id} is not running`);
  try {
    exec.starting = context.launcher.exec(execRequest(context, exec, target, options.size));
    exec.running = await exec.starting;
  } catch (error) {
    const failure = isExecFailure(error)
      ? await execFailure(context, container, error, config.WorkingDir || record.config.WorkingDir || "/")
      : undefined;
    // A working directory that is not there is told as a program that is not there is.
    exec.exitCode = failure?.code ?? (error instanceof StepError && error.errno === "ENOENT" ? 127 : 126);
    saveExec(context, exec);
    tell(context, record, "exec_die", { execID: exec.id, exitCode: String(exec.exitCode) });
    if (error instanceof Refusal) throw error;
    throw invalid(
      `Cannot execute in container ${record.name}: ${failure?.message ?? (error instanceof StepError ? error.message : reasonOf(error))}`,
    );
  } finally {
    exec.starting = null;
  }
  const { running } = exec;
  exec.pid = running.pid;
  const { peer } = options;
  const { AttachStdin: stdin, AttachStdout, AttachStderr } = config;
  const heard = AttachStdout || AttachStderr;
  // As in Docker: who attaches to nothing is not kept waiting.
  if (peer && !stdin && !heard) peer.end();
  else if (peer) {
    exec.hub = createHub();
    exec.hub.add({
      write: (stream, chunk) =>
        (stream === "stdout" ? AttachStdout : AttachStderr) ? peer.write(stream, chunk) : undefined,
      end: () => peer.end(),
    });
    if (peer.input && running.stdin && stdin) {
      const keys = { close: !config.Tty, detach: config.Tty ? options.detach : null };
      void feed(peer.input, running, running.stdin, keys).then((end) => {
        if (end === "detached") tell(context, record, "exec_detach", { execID: exec.id });
        else if (heard) return;
        exec.hub = null;
        peer.end();
      });
    }
  }
  // A probe's record has done its service: a later engine would only have to remove it.
  const ended = followExec(context, exec, running).then(() => {
    if (exec.probe) forgetExec(context, exec.id);
  });
  return { ended };
}

/** The keys as Docker tells them: bytes, in base64. */
function keyBytes(text: string): string {
  const keys = detachKeys(text);
  return typeof keys === "string" ? "" : Buffer.from(keys.sequence).toString("base64");
}

/** What Docker tells of it. */
export function inspectExec({ id, config, container, running, exitCode, pid }: Exec): ExecInspect {
  const [entrypoint = "", ...args] = config.Cmd ?? [];
  return {
    ID: id,
    Running: running !== null,
    ExitCode: exitCode,
    ProcessConfig: {
      tty: config.Tty ?? false,
      entrypoint,
      arguments: args,
      privileged: config.Privileged ?? false,
      ...(config.User ? { user: config.User } : {}),
    },
    OpenStdin: config.AttachStdin ?? false,
    OpenStderr: config.AttachStderr ?? false,
    OpenStdout: config.AttachStdout ?? false,
    CanRemove: false,
    ContainerID: container.record.id,
    DetachKeys: config.DetachKeys ? keyBytes(config.DetachKeys) : "",
    Pid: pid,
  };
}

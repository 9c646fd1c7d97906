import { existsSync } from "node:fs";
import { isEnded } from "../../container/launcher.ts";
import { SIGNALS } from "../../kernel/signals.ts";
import { tell } from "../containers/tell.ts";
import type { Context } from "../context.ts";
import { execRunDirOf } from "../launch.ts";
import type { Exec } from "./exec.ts";
import { followExec } from "./follow.ts";
import { type ExecRecord, forgetExec, loadExecs, saveExec } from "./records.ts";

/**
 * Takes up the execs of an earlier engine, once its containers are known: those that run are followed, those that
 * ended meanwhile get their exit code. Whoever was attached is gone, and with them the input.
 */
export async function restoreExecs(context: Context): Promise<void> {
  for (const record of loadExecs(context)) await restoreExec(context, record);
}

async function restoreExec(context: Context, { id, container: owner, ...rest }: ExecRecord): Promise<void> {
  const container = context.containers.get(owner);
  if (!container) return forgetExec(context, id);
  const exec: Exec = {
    ...rest,
    id,
    container,
    running: null,
    started: rest.exitCode !== null,
    starting: null,
    pid: 0,
    hub: null,
  };
  const runDir = execRunDirOf(context, id);
  // The note beside a run directory is there from before the program runs until all is over.
  const begun = existsSync(`${runDir}.json`);
  const found = await context.launcher.adopt(id, runDir);
  if (exec.probe) forgetExec(context, id);
  else {
    context.execs.set(id, exec);
    container.execs ??= new Set();
    container.execs.add(id);
  }
  if (found && !isEnded(found)) {
    exec.started = true;
    exec.pid = found.pid;
    found.stdin?.close();
    // Nobody takes its result.
    if (exec.probe) found.signal(SIGNALS.SIGKILL);
    followExec(context, exec, found);
    return;
  }
  if (exec.exitCode === null && (found || begun)) {
    exec.started = true;
    // Without an exit record its keeper was killed, and it with that.
    exec.exitCode = found ? found.exited.code : 128 + SIGNALS.SIGKILL;
    if (!exec.probe) saveExec(context, exec);
    tell(context, container.record, "exec_die", { execID: id, exitCode: String(exec.exitCode) });
  }
  found?.release();
}

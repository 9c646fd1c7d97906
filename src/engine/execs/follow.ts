import type { Running, Sink } from "../../container/launcher.ts";
import { reasonOf } from "../../oci/error.ts";
import { tell } from "../containers/tell.ts";
import type { Context } from "../context.ts";
import type { Exec } from "./exec.ts";
import { saveExec } from "./records.ts";

/** From here on the engine is the process's company. @returns the promise of its end */
export function followExec(context: Context, exec: Exec, running: Running): Promise<void> {
  exec.running = running;
  // Nobody can attach later.
  const sink: Sink | null = exec.hub ? { write: (stream, chunk) => exec.hub?.publish(stream, chunk) } : null;
  return running
    .drain(sink)
    .then(() => running.exited)
    .then((exit) => {
      exec.exitCode = exit.code;
      exec.running = null;
      // The exit record goes with the run directory, so this one comes first.
      keep(context, exec);
      running.release();
      tell(context, exec.container.record, "exec_die", { execID: exec.id, exitCode: String(exit.code) });
      exec.hub?.end();
      exec.hub = null;
    });
}

function keep(context: Context, exec: Exec): void {
  // Probes are forgotten with the engine; so is what is no longer known.
  if (exec.probe || !context.execs.has(exec.id)) return;
  try {
    saveExec(context, exec);
  } catch (error) {
    context.report(`Cannot keep the end of exec ${exec.id}: ${reasonOf(error)}`);
  }
}

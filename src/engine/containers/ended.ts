import type { Exit, Running } from "../../container/launcher.ts";
import { nextDelay, shouldRestart } from "../../container/restart.ts";
import { NEVER } from "../../container/time.ts";
import type { Container, WaitCondition } from "../container.ts";
import type { Context } from "../context.ts";
import { tellPlaces, unplug } from "../networks/plug.ts";
import { placesOf } from "../networks/wires.ts";
import { endHealth } from "./health.ts";
import { tell, tellVolumes } from "./tell.ts";
import { releaseVolumes } from "./volumes.ts";
import { wake } from "./wait.ts";

const EXITED: ReadonlySet<WaitCondition> = new Set(["not-running", "next-exit"]);
const STOPPED: ReadonlySet<WaitCondition> = new Set(["not-running"]);

/** The process has ended and its output is through: what becomes of the container. */
export async function ended(
  context: Context,
  container: Container,
  running: Running | null,
  exit: Exit,
): Promise<void> {
  const { record } = container;
  const { state } = record;
  endHealth(container);
  container.running = null;
  container.log?.end();
  container.log = null;
  container.hub?.end();
  container.hub = null;
  state.pid = 0;
  state.exitCode = exit.code;
  state.finishedAt = exit.at;
  state.oomKilled = exit.oomKilled;
  if (exit.oomKilled) tell(context, record, "oom");
  const ran = Math.max(0, Date.parse(exit.at) - Date.parse(state.startedAt));
  const again =
    !container.exitOnNext &&
    shouldRestart({
      policy: record.host.RestartPolicy,
      exitCode: exit.code,
      manuallyStopped: state.manuallyStopped,
      restartCount: state.restartCount,
    });
  container.exitOnNext = false;
  state.status = again ? "restarting" : "exited";
  // Docker's order: what it used is given back before it is told that it ended.
  tellPlaces(context, container, placesOf(context, record), "disconnect");
  unplug(context, container);
  tellVolumes(context, record, "unmount");
  await releaseVolumes(context, record, record.id);
  tell(context, record, "die", {
    execDuration: String(Math.floor(ran / 1000)),
    exitCode: String(exit.code),
  });
  if (record.host.AutoRemove && !again) {
    wake(container, EXITED);
    running?.release();
    await context.follow.remove(container);
    return;
  }
  finish(context, container, running, again);
  // Who waits for the end hears of this one, as in Docker, though a policy starts the container again.
  wake(container, EXITED);
  if (again) scheduleRestart(context, container, ran);
}

/**
 * The exit record goes with the run directory, so the document comes first. Neither is waited for: until the document
 * is written an engine that comes finds the exit record, and a container that is removed at once needs no document (a
 * millisecond for who waits). Only where a policy decides what becomes of it must an engine find at once that it was
 * stopped on purpose.
 */
function finish(context: Context, container: Container, running: Running | null, again: boolean): void {
  const { record } = container;
  const policy = record.host.RestartPolicy?.Name || "no";
  if (running !== null && policy === "no" && !again) {
    context.store.saveSoon(record, () => running.release());
    return;
  }
  save(context, container);
  running?.release();
}

function scheduleRestart(context: Context, container: Container, ran: number): void {
  container.delay = nextDelay(container.delay, ran);
  const timer = setTimeout(() => {
    container.restart = null;
    container.record.state.restartCount++;
    context.follow.restart(container).catch((error: unknown) => {
      context.report(`Cannot restart ${container.record.name}: ${String(error)}`);
    });
  }, container.delay);
  container.restart = { timer };
}

/** `stop` and the like while it waits to be restarted: it stays down. */
export function cancelRestart(context: Context, container: Container): void {
  if (!container.restart) return;
  clearTimeout(container.restart.timer);
  container.restart = null;
  const { state } = container.record;
  if (state.status !== "restarting") return;
  state.status = "exited";
  if (state.finishedAt === NEVER) state.finishedAt = state.startedAt;
  save(context, container);
  wake(container, STOPPED);
}

function save(context: Context, container: Container): void {
  try {
    context.store.save(container.record);
  } catch (error) {
    context.report(`Cannot save container ${container.record.name}: ${String(error)}`);
  }
}

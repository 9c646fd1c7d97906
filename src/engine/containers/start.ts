import type { Running } from "../../container/launcher.ts";
import { writeNetFiles } from "../../container/netfiles.ts";
import { Refusal, reasonOf } from "../../oci/error.ts";
import { StepError } from "../../plan/error.ts";
import { type Container, serially, type WaitCondition } from "../container.ts";
import type { Context } from "../context.ts";
import { launchRequest } from "../launch.ts";
import { announce } from "../networks/announce.ts";
import { namesFolder } from "../networks/files.ts";
import { tellParents } from "../networks/linked.ts";
import { netNames, plug, repaired, tellLeft, tellPlaces, unplug } from "../networks/plug.ts";
import type { Place } from "../networks/wires.ts";
import { execFailure, isExecFailure } from "../program/failure.ts";
import { notFound } from "../refuse.ts";
import { cancelRestart } from "./ended.ts";
import { allowed } from "./find.ts";
import { follow } from "./follow.ts";
import { beginHealth } from "./health.ts";
import { shareNames } from "./joined.ts";
import { openLog } from "./log.ts";
import { remove } from "./remove.ts";
import { openSubpaths } from "./subpaths.ts";
import { tell, tellVolumes } from "./tell.ts";
import { holdVolumes, releaseVolumes } from "./volumes.ts";
import { wake } from "./wait.ts";

const ALL: ReadonlySet<WaitCondition> = new Set(["not-running", "next-exit"]);

export interface StartOptions {
  /** The restart policy starts it, nobody asked. */
  readonly restarting?: boolean;
  /** Record what each kernel call took. */
  readonly trace?: boolean;
}

/**
 * Starts a container.
 * @returns false when it runs already
 * @throws Refusal: in this state it cannot, or a step failed and everything was undone
 */
export function start(context: Context, container: Container, options: StartOptions = {}): Promise<boolean> {
  return serially(container, async () => {
    const { id } = container.record;
    // Its create failed, or it was removed, while this waited.
    if (!context.containers.has(id)) throw notFound(`No such container: ${id}`);
    // Stopped or removed while the restart was on its way.
    if (options.restarting && container.record.state.status !== "restarting") return false;
    if (!allowed(container, "start")) return false;
    if (!options.restarting) {
      cancelRestart(context, container);
      container.delay = 0;
      container.record.state.restartCount = 0;
    }
    container.exitOnNext = false;
    container.record.state.manuallyStopped = false;
    try {
      await launch(context, container, options.trace ?? false);
    } catch (error) {
      throw await failed(context, container, error);
    }
    return true;
  });
}

async function launch(context: Context, container: Container, trace: boolean): Promise<void> {
  const { record } = container;
  const { state } = record;
  // The last end, if it is not written down yet: its run directory is to be used again.
  context.store.settle(record);
  shareNames(context, record);
  const places = await plug(context, container);
  writeNetFiles(namesFolder(context, record), record, netNames(context, record, places));
  // Addresses are written down before anybody has them: whoever finds the process finds them, too.
  if (Object.values(record.endpoints).some(({ live }) => live?.mac)) context.store.save(record);
  const log = await openLog(context, container);
  let running: Running;
  try {
    await holdVolumes(context, record, record.id);
    const subpaths = await openSubpaths(context, record);
    try {
      running = await lift(context, container, places, trace, subpaths.sources);
    } finally {
      await subpaths.close();
    }
  } catch (error) {
    log?.end();
    await releaseVolumes(context, record, record.id);
    throw error;
  }
  state.status = "running";
  state.pid = running.pid;
  state.startedAt = running.startedAt;
  state.error = "";
  state.exitCode = 0;
  state.oomKilled = false;
  context.store.saveSoon(record);
  tellVolumes(context, record, "mount");
  tellParents(context, record);
  tellPlaces(context, container, places, "connect");
  follow(context, container, running, log);
  beginHealth(context, container);
  tell(context, record, "start");
  await announce(context, running.pid, places);
}

/** Runs the launch program; a second time when a bridge was gone and could be made again. */
async function lift(
  context: Context,
  container: Container,
  places: readonly Place[],
  trace: boolean,
  subpaths: ReadonlyMap<string, string>,
): Promise<Running> {
  const request = launchRequest(context, container, places, trace, subpaths);
  try {
    return await context.launcher.start(request);
  } catch (error) {
    if (!(await repaired(context, container, error))) throw error;
    return await context.launcher.start(request);
  }
}

/** Code and sentence of a start that failed, as Docker has them. */
async function reason(
  context: Context,
  container: Container,
  error: unknown,
): Promise<{ readonly code: number; readonly message: string }> {
  if (isExecFailure(error)) {
    return execFailure(context, container, error, container.record.config.WorkingDir || "/");
  }
  const known = error instanceof Refusal || error instanceof StepError;
  return { code: 128, message: known ? error.message : reasonOf(error) };
}

async function failed(context: Context, container: Container, error: unknown): Promise<Refusal> {
  const { record } = container;
  const { state } = record;
  const { code, message } = await reason(context, container, error);
  state.status = state.status === "created" ? "created" : "exited";
  state.exitCode = code;
  state.error = message;
  container.hub?.end();
  container.hub = null;
  container.stdin = null;
  tellLeft(context, container);
  unplug(context, container);
  context.store.save(record);
  wake(container, ALL);
  if (record.host.AutoRemove) {
    // Not awaited: removal waits its turn behind this start.
    remove(context, container, { volumes: true, force: true }).catch((failure: unknown) =>
      context.report(`Cannot remove ${record.name}: ${String(failure)}`),
    );
  }
  if (error instanceof Refusal) return error;
  const kind = code === 128 ? "failed" : "invalid";
  return new Refusal(kind, `failed to start container ${record.name}: ${message}`, { cause: error });
}

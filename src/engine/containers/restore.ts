import { readdirSync, rmSync } from "node:fs";
import { unwatched } from "../../container/health/state.ts";
import { type ExecId, isContainerId } from "../../container/id.ts";
import { type Ended, isEnded, type Running } from "../../container/launcher.ts";
import { isUp } from "../../container/lifecycle.ts";
import { logOptions } from "../../container/logs/options.ts";
import type { LogWriter } from "../../container/logs/writer.ts";
import type { ContainerRecord } from "../../container/record.ts";
import { shouldStartWithEngine } from "../../container/restart.ts";
import { now } from "../../container/time.ts";
import { reasonOf } from "../../oci/error.ts";
import { type Container, newContainer } from "../container.ts";
import type { Context } from "../context.ts";
import { restoreExecs } from "../execs/restore.ts";
import { runDirOf } from "../launch.ts";
import { releaseAll, reserveAll } from "../networks/allocate.ts";
import { NAMES, removeNames } from "../networks/files.ts";
import { restoreNetworks } from "../networks/restore.ts";
import { ended } from "./ended.ts";
import { follow } from "./follow.ts";
import { watchHealth } from "./health.ts";
import { openFile, openLog } from "./log.ts";
import { remove } from "./remove.ts";
import { revive } from "./revive.ts";
import { sweepSubpaths } from "./subpaths.ts";
import { knowVolumes } from "./volumes.ts";

/**
 * Takes up what an earlier engine left: containers that run are followed again, those that ended meanwhile get
 * their exit code and the rest of their output, and what was half made is removed.
 */
export async function restore(context: Context): Promise<void> {
  const { records, damaged } = context.store.load();
  for (const path of damaged) {
    context.report(
      `Cannot read ${path}: it is damaged; the container is left out until you repair or remove it`,
    );
  }
  for (const record of records) {
    const options = logOptions(record.host.LogConfig);
    if (typeof options === "string") {
      context.report(`Cannot use container ${record.name}: ${options}`);
      continue;
    }
    context.containers.set(record.id, newContainer(record, options));
    context.names.add(record.id, record.name);
  }
  const later: (() => Promise<unknown>)[] = [];
  const wanted: Container[] = [];
  for (const container of [...context.containers.values()])
    later.push(...(await adopt(context, container, wanted)));
  await restoreExecs(context);
  await removeOrphans(context, damaged);
  await sweepSubpaths(context);
  await context.volumeMounts.sweep();
  await restoreNetworks(context);
  for (const work of later) {
    await work().catch((error: unknown) => context.report(String(error)));
  }
  await revive(context, wanted);
}

/**
 * @param wanted gets the container if its policy asks for a start
 * @returns what is to be done once every container is known
 */
async function adopt(
  context: Context,
  container: Container,
  wanted: Container[],
): Promise<(() => Promise<unknown>)[]> {
  const { record } = container;
  const { state } = record;
  const wasUp = isUp(state.status);
  const found = await context.launcher.adopt(record.id, runDirOf(context, record.id));
  if (found && !isEnded(found)) {
    await running(context, container, found);
    return [];
  }
  if (found) {
    // What it still had to say is written before its end is told.
    await keep(context, container, found);
    if (!isKnown(state.status)) state.startedAt = found.startedAt ?? state.startedAt;
    const { exited } = found;
    found.release();
    return [() => ended(context, container, null, exited)];
  }
  // Nothing runs: its addresses are free, however the engine before this one ended.
  releaseAll(context, record);
  if (state.status === "removing" || state.status === "dead") {
    state.status = "dead";
    return [() => remove(context, container, { volumes: true, force: true })];
  }
  if (wasUp) {
    // The machine went down: nothing is left of the process, Docker's code for that is 255. One that waited for its
    // restart had ended before.
    if (state.status !== "restarting") Object.assign(state, { exitCode: 255, finishedAt: now() });
    Object.assign(state, { status: "exited", pid: 0 });
    if (state.health) state.health = unwatched(state.health);
    context.store.save(record);
    if (record.host.AutoRemove) return [() => remove(context, container, { volumes: true, force: true })];
    if (comesBack(container, wasUp)) wanted.push(container);
    return [];
  }
  if (record.host.AutoRemove && state.status === "exited") {
    return [() => remove(context, container, { volumes: true, force: true })];
  }
  if (state.status === "exited" && comesBack(container, wasUp)) wanted.push(container);
  return [];
}

/** Whether the record is of the process that ran last: it was written once that had begun. */
const isKnown = (status: ContainerRecord["state"]["status"]): boolean =>
  status === "running" || status === "paused";

/** Nobody can be refused any more: without its receiver, the driver's messages are lost. */
async function logAgain(context: Context, container: Container): Promise<LogWriter | null> {
  try {
    return await openLog(context, container);
  } catch (error) {
    context.report(`Container ${container.record.name}: ${reasonOf(error)}`);
    return openFile(context, container);
  }
}

async function running(context: Context, container: Container, found: Running): Promise<void> {
  const { state } = container.record;
  // The record knows the moment better than the keeper's file does, if it is of this start.
  if (!isKnown(state.status) || state.pid !== found.pid) state.startedAt = found.startedAt;
  // Killed between the launch and its record: the container is what it is, not what was written.
  if (state.status !== "paused") state.status = "running";
  state.pid = found.pid;
  reserveAll(context, container.record);
  context.store.save(container.record);
  follow(context, container, found, await logAgain(context, container));
  if (state.status === "running") watchHealth(context, container);
  knowVolumes(context, container.record);
}

async function keep(context: Context, container: Container, found: Ended): Promise<void> {
  const log = await logAgain(context, container);
  await found.drain(log && { write: (stream, chunk) => log.write(stream, chunk), journal: log });
  log?.end();
}

const comesBack = ({ record: { host, state } }: Container, wasUp: boolean): boolean =>
  shouldStartWithEngine({
    policy: host.RestartPolicy,
    exitCode: state.exitCode,
    restartCount: state.restartCount,
    manuallyStopped: state.manuallyStopped,
    wasUp,
  });

/** Run directories and snapshots of containers that are not known: creates and removals cut short. */
async function removeOrphans(context: Context, damaged: readonly string[]): Promise<void> {
  const spared = (id: string): boolean => damaged.some((path) => path.includes(id));
  const known = (id: string): boolean => isContainerId(id) && (context.containers.has(id) || spared(id));
  for (const { id } of context.images.driver.writables()) {
    if (!known(id)) await context.images.driver.remove(id);
  }
  for (const id of names(`${context.run}/${NAMES}`)) if (!known(id)) removeNames(context, id);
  for (const folder of ["containers", "execs"]) {
    // Beside a start's directory are files that begin with its name.
    const ids = new Set(names(`${context.run}/${folder}`).map((name) => name.split(".", 1)[0]!));
    for (const id of ids) {
      if (known(id) || context.execs.has(id as ExecId)) continue;
      const found = await context.launcher.adopt(id, `${context.run}/${folder}/${id}`);
      if (found && !isEnded(found)) abandon(found, folder === "containers");
      else if (found) found.release();
      else removeAll(`${context.run}/${folder}`, id);
    }
  }
}

function removeAll(folder: string, id: string): void {
  for (const name of names(folder)) {
    // The note stays until the launcher has removed the cgroup it names.
    if (name.split(".", 1)[0] === id && name !== `${id}.json`)
      rmSync(`${folder}/${name}`, { recursive: true, force: true });
  }
}

/** A process that nobody will ask about: what it writes is read, so that it can go on, and its end is cleared up. */
function abandon(found: Running, kill: boolean): void {
  if (kill) found.signal(9);
  void found
    .drain(null)
    .then(() => found.exited)
    .then(() => found.release());
}

function names(folder: string): string[] {
  try {
    // A start has a directory and, beside it, files with its name and an ending.
    return [...new Set(readdirSync(folder).map((name) => name.replace(/\.\w+$/, "")))];
  } catch {
    return [];
  }
}

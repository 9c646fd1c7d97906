import type { ContainerRecord } from "../../container/record.ts";
import { codeOf, Refusal } from "../../oci/error.ts";
import { type Container, serially, type WaitCondition } from "../container.ts";
import type { Context } from "../context.ts";
import { forgetExec } from "../execs/records.ts";
import { removeNames } from "../networks/files.ts";
import { conflict } from "../refuse.ts";
import { removeVolume } from "../volumes.ts";
import { cancelRestart } from "./ended.ts";
import { allowed } from "./find.ts";
import { killNow } from "./kill.ts";
import { tell } from "./tell.ts";
import { wake } from "./wait.ts";

export interface RemoveOptions {
  /** Kill it first when it runs. */
  readonly force?: boolean;
  /** Its anonymous volumes go as well. */
  readonly volumes?: boolean;
  /** How the request names it. */
  readonly as?: string;
}

const EVERYTHING: ReadonlySet<WaitCondition> = new Set(["not-running", "next-exit", "removed"]);

/**
 * Removes a container with everything that is only its own.
 * @throws Refusal (409) when it runs and `force` is not given, or when it is being removed already
 */
export async function remove(context: Context, container: Container, options: RemoveOptions): Promise<void> {
  const { record } = container;
  if (options.force) {
    cancelRestart(context, container);
    await killNow(context, container);
  }
  await serially(container, async () => {
    if (!context.containers.has(record.id)) return;
    allowed(container, "remove", options.as);
    const before = record.state.status;
    record.state.status = "removing";
    try {
      // In this order: an engine that starts sweeps a snapshot of no container, but a container without its
      // snapshot could never be started, nor told from a whole one.
      context.store.remove(record.id);
      await context.images.driver.remove(record.id);
    } catch (error) {
      record.state.status = codeOf(error) === "EBUSY" ? before : "dead";
      keepRecord(context, record);
      throw conflict(`cannot remove container "${record.name}": ${String(error)}`);
    }
    for (const id of container.execs ?? []) {
      context.execs.delete(id);
      forgetExec(context, id);
    }
    removeNames(context, record.id);
    context.containers.delete(record.id);
    context.names.remove(record.id, record.name);
    if (options.volumes) await removeVolumes(context, container);
    tell(context, record, "destroy");
    wake(container, EVERYTHING);
  });
}

/** What could not be removed can be tried again, by a later engine too. */
function keepRecord(context: Context, record: ContainerRecord): void {
  try {
    context.store.save(record);
  } catch (error) {
    context.report(`Cannot save container ${record.name}: ${String(error)}`);
  }
}

async function removeVolumes(context: Context, { record }: Container): Promise<void> {
  for (const name of record.anonymous) {
    try {
      await removeVolume(context, name, false);
    } catch (error) {
      // Another container has it as well (--volumes-from), or had, and it went with that.
      if (error instanceof Refusal && (error.kind === "conflict" || error.kind === "notFound")) continue;
      context.report(`Kept volume ${name}: ${String(error)}`);
    }
  }
}

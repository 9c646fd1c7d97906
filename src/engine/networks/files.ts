import { rm } from "node:fs";
import type { ContainerRecord } from "../../container/record.ts";
import { parseUserns } from "../../container/spec/userns.ts";
import type { Context } from "../context.ts";

/** Below the engine's run directory: a folder for each container that has been started. */
export const NAMES = "names";

/**
 * Where a container's `hosts`, `hostname` and `resolv.conf` are: in memory, as each start makes them anew, and three
 * files on a disk cost it three to ten times as much. With users of its own they are on the disk: tmpfs can be shown
 * through idmapped mounts only from Linux 6.3 on.
 */
export const namesFolder = (
  { run, store }: Pick<Context, "run" | "store">,
  { host, id }: Pick<ContainerRecord, "host" | "id">,
): string => (typeof parseUserns(host.UsernsMode) === "object" ? store.folder(id) : `${run}/${NAMES}/${id}`);

/** The container is removed. Nobody waits for it; an engine that is killed meanwhile sweeps when it starts again. */
export function removeNames({ run }: Pick<Context, "run">, id: string): void {
  rm(`${run}/${NAMES}/${id}`, { recursive: true, force: true }, () => undefined);
}

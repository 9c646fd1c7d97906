import { statSync } from "node:fs";
import { viewPlan } from "../../container/launch/view.ts";
import { NEVER } from "../../container/time.ts";
import type { Mount } from "../../oci/runtime/spec.ts";
import type { Held } from "../../plan/run.ts";
import type { MountPoint } from "../../wire/summary.ts";
import type { Container } from "../container.ts";
import { openSubpaths } from "../containers/subpaths.ts";
import { holdVolumes, releaseVolumes } from "../containers/volumes.ts";
import type { Context } from "../context.ts";

/** A container's tree of files, there until it is closed. */
export interface Root {
  readonly path: string;
  readonly close: () => Promise<void>;
}

/** Those who look at a container that does not run: one view for all of them, which the last one closes. */
const views = new Map<string, { count: number; readonly held: Promise<Held> }>();

/**
 * The container's root with its binds and volumes: what its processes see when it runs, otherwise a view of its own
 * that ends when everybody has closed it, or with the engine.
 */
export async function openRootOf(context: Context, container: Container): Promise<Root> {
  const { record, running } = container;
  if (running) return { path: `/proc/${running.pid}/root`, close: async () => undefined };
  const holder = `view of ${record.id}`;
  const view = views.get(record.id) ?? { count: 0, held: holdWhole(context, container, holder) };
  view.count++;
  views.set(record.id, view);
  const leave = async () => {
    if (--view.count > 0) return;
    views.delete(record.id);
    await (await view.held).close();
    await releaseVolumes(context, record, holder);
  };
  try {
    const { pid } = await view.held;
    return { path: `/proc/${pid}/root`, close: once(leave) };
  } catch (error) {
    views.delete(record.id);
    throw error;
  }
}

/** With its volumes mounted and the parts of volumes found. */
async function holdWhole(context: Context, container: Container, holder: string): Promise<Held> {
  const { record } = container;
  await holdVolumes(context, record, holder);
  try {
    const subpaths = await openSubpaths(context, record);
    try {
      const mounts = record.mounts.map((mount) => ({
        ...mount,
        Source: subpaths.sources.get(mount.Destination) ?? mount.Source,
      }));
      return await hold(context, container, mounts);
    } finally {
      await subpaths.close();
    }
  } catch (error) {
    await releaseVolumes(context, record, holder);
    throw error;
  }
}

/** The container's own files, without what is mounted on them. */
export async function openBareRootOf(context: Context, container: Container): Promise<Root> {
  const { close, pid } = await hold(context, container, []);
  return { path: `/proc/${pid}/root`, close };
}

function hold(context: Context, { record }: Container, mounts: readonly MountPoint[]): Promise<Held> {
  return context.holdPlan(
    viewPlan({
      rootfs: context.images.driver.rootfs(record.id),
      rootPlace: `${context.run}/rootfs`,
      // A start makes it for itself, where it may lie in a volume.
      ...(record.state.startedAt === NEVER && { workingDirectory: record.config.WorkingDir || "/" }),
      mounts: mounts.flatMap(asMount).toSorted((a, b) => depth(a.destination) - depth(b.destination)),
      isDirectory: (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true,
    }),
  );
}

/** What a tmpfs had is gone with its container. */
function asMount({ Destination, RW, Source, Type }: MountPoint): readonly Mount[] {
  if (Type !== "bind" && Type !== "volume") return [];
  const options = ["rbind", ...(RW ? [] : ["ro"]), "rprivate"];
  return [{ destination: Destination, type: "bind", source: Source, options }];
}

const depth = (path: string): number => path.split("/").filter(Boolean).length;

function once(leave: () => Promise<void>): () => Promise<void> {
  let left = false;
  return async () => {
    if (left) return;
    left = true;
    await leave();
  };
}

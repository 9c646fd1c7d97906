import { getArchive } from "../../image/archive/get.ts";
import { putArchive } from "../../image/archive/put.ts";
import { statPath } from "../../image/archive/stat.ts";
import { exportRoot } from "../../image/export.ts";
import type { Bytes } from "../../storage/driver.ts";
import type { PathStat } from "../../wire/lifecycle.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { invalid } from "../refuse.ts";
import { openRootOf } from "../rootfs/root.ts";
import { tell } from "./tell.ts";

/** What is at a path of the container. */
export async function pathStat(context: Context, container: Container, path: string): Promise<PathStat> {
  const root = await openRootOf(context, container);
  try {
    return statPath(root.path, path);
  } finally {
    await root.close();
  }
}

/** A file or a directory with everything in it, as a tar in which the last component is its name. */
export async function readArchive(
  context: Context,
  container: Container,
  path: string,
): Promise<{ readonly stat: PathStat; readonly tar: Bytes }> {
  const root = await openRootOf(context, container);
  try {
    const { stat, archive } = getArchive(root.path, path, context.runPlan);
    tell(context, container.record, "archive-path", { path });
    return { stat, tar: closing(archive, root.close) };
  } catch (error) {
    await root.close();
    throw error;
  }
}

/** Unpacks a tar into a directory of the container. */
export async function writeArchive(
  context: Context,
  container: Container,
  path: string,
  tar: Bytes,
): Promise<void> {
  const { record } = container;
  if (record.host.ReadonlyRootfs && !record.mounts.some((mount) => isBelow(path, mount.Destination))) {
    throw invalid("container rootfs is marked read-only");
  }
  const root = await openRootOf(context, container);
  try {
    await putArchive(root.path, path, tar, { runPlan: context.runPlan });
  } finally {
    await root.close();
  }
  tell(context, record, "extract-to-dir", { path });
}

/** What is always mounted into a container, besides what was asked for. */
const MOUNTED = ["/proc", "/sys", "/dev", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf"];

/** All files of the container, without what is mounted into it. */
export async function exportContainer(context: Context, container: Container): Promise<Bytes> {
  const { record } = container;
  const root = await openRootOf(context, container);
  tell(context, record, "export");
  const mounts = [...MOUNTED, ...record.mounts.map((mount) => mount.Destination)];
  return closing(exportRoot(root.path, { runPlan: context.runPlan, mounts }), root.close);
}

async function* closing(bytes: Bytes, close: () => Promise<void>): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes;
  } finally {
    await close();
  }
}

const isBelow = (path: string, directory: string): boolean =>
  path === directory || path.startsWith(`${directory}/`);

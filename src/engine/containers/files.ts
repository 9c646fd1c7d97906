import { getArchive } from "../../image/archive/get.ts";
import { putArchive } from "../../image/archive/put.ts";
import { statPath } from "../../image/archive/stat.ts";
import { exportRoot } from "../../image/export.ts";
import type { Bytes } from "../../storage/driver.ts";
import type { PathStat } from "../../wire/lifecycle.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { factsOf } from "../facts.ts";
import { invalid } from "../refuse.ts";
import { openRootOf, type Root } from "../rootfs/root.ts";
import { tell, tellVolumes } from "./tell.ts";

/** What is at a path of the container. */
export async function pathStat(context: Context, container: Container, path: string): Promise<PathStat> {
  const root = await opened(context, container);
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
  const root = await opened(context, container);
  const { close } = root;
  try {
    const { stat, archive } = getArchive(root.path, path, context.runPlan);
    tell(context, container.record, "archive-path");
    return { stat, tar: closing(archive, close) };
  } catch (error) {
    await root.close();
    throw error;
  }
}

export interface WriteOptions {
  /** Refuse to put a directory where something else is, and the other way round. */
  readonly keepKinds?: boolean;
  /** What is unpacked belongs to the container's user, where it has one: else to whom the archive says. */
  readonly own?: boolean;
}

/** Unpacks a tar into a directory of the container. */
export async function writeArchive(
  context: Context,
  container: Container,
  path: string,
  tar: Bytes,
  { keepKinds = false, own = false }: WriteOptions = {},
): Promise<void> {
  const { record } = container;
  // The innermost mount decides.
  const [mount] = record.mounts
    .filter(({ Destination }) => isBelow(path, Destination))
    .sort((a, b) => b.Destination.length - a.Destination.length);
  if (mount && !mount.RW) throw invalid("mounted volume is marked read-only");
  if (!mount && record.host.ReadonlyRootfs) throw invalid("container rootfs is marked read-only");
  const user = own && record.config.User ? factsOf(context, record).user : null;
  const root = await opened(context, container);
  try {
    await putArchive(root.path, path, tar, {
      runPlan: context.runPlan,
      keepKinds,
      ...(user ? { owner: { uid: user.uid, gid: user.gid } } : {}),
    });
    tell(context, record, "extract-to-dir");
  } finally {
    await root.close();
  }
}

/** The container's root; as in Docker, its volumes are told of as mounted meanwhile. */
async function opened(context: Context, container: Container): Promise<Root> {
  const root = await openRootOf(context, container);
  tellVolumes(context, container.record, "mount");
  let open = true;
  return {
    ...root,
    async close() {
      if (open) tellVolumes(context, container.record, "unmount");
      open = false;
      await root.close();
    },
  };
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

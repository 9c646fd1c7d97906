import { readlinkSync, type Stats, statSync } from "node:fs";
import { basename } from "node:path";
import { freeze, thaw } from "../../cgroup/freeze.ts";
import { through } from "../../image/tar/beneath.ts";
import { readable } from "../../image/tar/entry.ts";
import { packTree } from "../../image/tar/pack.ts";
import { unpack } from "../../image/tar/unpack.ts";
import { runPlan } from "../../plan/run.ts";
import type { Bytes } from "../../storage/driver.ts";
import type { PathStat } from "../../wire/lifecycle.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { invalid, notFound } from "../refuse.ts";
import { type Resolved, resolveIn } from "../rootfs/resolve.ts";
import { openRootOf, type Root } from "../rootfs/root.ts";
import { cgroupOf } from "./freeze.ts";
import { tell } from "./tell.ts";

/** What is at a path of the container. */
export async function pathStat(context: Context, container: Container, path: string): Promise<PathStat> {
  const root = await openRootOf(context, container);
  try {
    const found = resolve(root, path);
    try {
      return statOf(found, root, container.record.name);
    } finally {
      found.close();
    }
  } finally {
    await root.close();
  }
}

/** A file or a directory with everything in it, as a tar in which the last component is its name. */
export async function* readArchive(
  context: Context,
  container: Container,
  path: string,
): AsyncGenerator<Uint8Array> {
  tell(context, container.record, "archive-path", { path });
  const root = await openRootOf(context, container);
  try {
    const found = resolve(root, path);
    try {
      const { name } = found;
      const base = /(^|\/)\.?$/.test(path) ? "" : `${basename(found.path)}/`;
      yield* packTree(`/proc/self/fd/${found.directory}`, {
        runPlan,
        ...(name === ""
          ? { prefix: base }
          : {
              withoutRoot: true,
              choose: (inside: string) => (inside === name || inside.startsWith(`${name}/`) ? "keep" : "omit"),
            }),
      });
    } finally {
      found.close();
    }
  } finally {
    await root.close();
  }
}

/** Unpacks a tar into a directory of the container. Its processes stand still meanwhile. */
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
  const { layout } = context.cgroups;
  const root = await openRootOf(context, container);
  try {
    const found = resolve(root, `${path}/.`);
    // Names are checked before they are used: nobody may change what they mean in between.
    const hold = record.state.status === "running";
    if (hold) await freeze(layout, cgroupOf(context, container));
    try {
      if (!found.stat) throw notFound(`Could not find the file ${path} in container ${record.name}`);
      if (!found.stat.isDirectory()) throw invalid("extraction point is not a directory");
      await unpack(tar, `/proc/${process.pid}/fd/${found.directory}`, { runPlan, whiteouts: "plain" });
    } finally {
      if (hold && container.running) await thaw(layout, cgroupOf(context, container));
      found.close();
    }
  } finally {
    await root.close();
  }
  tell(context, record, "extract-to-dir", { path });
}

/** All files of the container, without what is mounted into it. */
export async function* exportContainer(context: Context, container: Container): AsyncGenerator<Uint8Array> {
  const { record } = container;
  tell(context, record, "export");
  const foreign = new Set(record.mounts.map((mount) => mount.Destination.slice(1)));
  for (const name of ["etc/hostname", "etc/hosts", "etc/resolv.conf"]) foreign.add(name);
  const root = await openRootOf(context, container);
  try {
    const { dev } = statSync(`/proc/self/fd/${root.fd}`);
    yield* packTree(`/proc/self/fd/${root.fd}`, {
      runPlan,
      choose: (path, stat) =>
        (stat.isDirectory() && stat.dev !== dev) || foreign.has(readable(path)) ? "empty" : "keep",
    });
  } finally {
    await root.close();
  }
}

/** As Docker reads paths: what ends in a slash or a dot means what a link leads to. */
const resolve = (root: Root, path: string): Resolved =>
  resolveIn(root.fd, path, {
    inside: /(^|\/)\.?$/.test(path),
    ...(root.enter ? { enter: root.enter } : {}),
  });

function statOf({ directory, name, path, stat }: Resolved, root: Root, container: string): PathStat {
  if (!stat) throw notFound(`Could not find the file ${path} in container ${container}`);
  return {
    name: basename(path) || "/",
    size: stat.size,
    mode: goMode(stat),
    mtime: stat.mtime.toISOString(),
    linkTarget: stat.isSymbolicLink() ? targetOf(root, path, directory, name) : "",
  };
}

function targetOf(root: Root, path: string, directory: number, name: string): string {
  try {
    const found = resolveIn(root.fd, path, { inside: true });
    found.close();
    return found.path;
  } catch {
    return readlinkSync(through(directory, name)).toString();
  }
}

/** Go's `os.FileMode` (src/io/fs/fs.go). */
function goMode(stat: Stats): number {
  let mode = stat.mode & 0o777;
  if (stat.isDirectory()) mode += 2 ** 31;
  if (stat.isSymbolicLink()) mode += 2 ** 27;
  if (stat.isBlockDevice() || stat.isCharacterDevice()) mode += 2 ** 26;
  if (stat.isFIFO()) mode += 2 ** 25;
  if (stat.isSocket()) mode += 2 ** 24;
  if (stat.mode & 0o4000) mode += 2 ** 23;
  if (stat.mode & 0o2000) mode += 2 ** 22;
  if (stat.isCharacterDevice()) mode += 2 ** 21;
  if (stat.mode & 0o1000) mode += 2 ** 20;
  return mode;
}

const isBelow = (path: string, directory: string): boolean =>
  path === directory || path.startsWith(`${directory}/`);

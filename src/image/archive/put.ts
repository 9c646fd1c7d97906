import * as fs from "node:fs";
import { Refusal } from "../../oci/error.ts";
import type { Bytes } from "../../storage/driver.ts";
import type { RunPlan } from "../../storage/kernel.ts";
import { decompressed } from "../compression.ts";
import { openRoot } from "../tar/beneath.ts";
import { unpack } from "../tar/unpack.ts";
import { statIn } from "../tar/walk.ts";
import { liveDirectories } from "./live.ts";
import { partsOf, type Resolved, resolveDirectory } from "./resolve.ts";

export interface PutOptions {
  readonly runPlan: RunPlan;
  /** Refuse to put a directory where something else is, and the other way round (`noOverwriteDirNonDir`). */
  readonly keepKinds?: boolean;
  /** Everything gets this owner (`docker cp -a`, `copyUIDGID`). */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/**
 * `PUT /containers/{id}/archive`: unpacks a tar (perhaps compressed) into a directory of a container that may be
 * running. A directory is never replaced by something else.
 */
export async function putArchive(
  root: string,
  path: string,
  archive: Bytes,
  options: PutOptions,
): Promise<void> {
  const rootFd = openRoot(root);
  let base: Resolved | undefined;
  try {
    base = resolveTarget(rootFd, path);
    const live = liveDirectories(rootFd, base.parts);
    try {
      const { stream } = await decompressed(archive);
      const { keepKinds, ...rest } = options;
      const some = await begun(stream);
      // Nothing at all is an archive of nothing, as in Docker.
      if (!some) return;
      await unpack(some, `/proc/self/fd/${base.fd}`, {
        ...rest,
        whiteouts: "plain",
        live,
        ...(keepKinds ? { keepKinds: path } : {}),
      });
    } finally {
      live.close();
    }
  } finally {
    if (base !== undefined) fs.closeSync(base.fd);
    fs.closeSync(rootFd);
  }
}

/** The same bytes; null when there are none. */
async function begun(bytes: Bytes): Promise<Bytes | null> {
  const iterator = bytes[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done) return null;
  return (async function* () {
    yield first.value;
    yield* { [Symbol.asyncIterator]: () => iterator };
  })();
}

function resolveTarget(root: number, path: string): Resolved {
  const parts = partsOf(path);
  try {
    return resolveDirectory(root, parts);
  } catch (error) {
    const parent = parts.length === 0 ? undefined : resolveDirectory(root, parts.slice(0, -1));
    const stat = parent === undefined ? undefined : statIn(parent.fd, parts.at(-1)!);
    if (parent !== undefined) fs.closeSync(parent.fd);
    if (stat !== undefined && !stat.isDirectory() && !stat.isSymbolicLink()) {
      throw new Refusal("invalid", "extraction point is not a directory");
    }
    throw error;
  }
}

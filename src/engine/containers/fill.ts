import { closeSync } from "node:fs";
import { cleanPath } from "../../container/spec/mountpoint.ts";
import { resolveDirectory } from "../../image/archive/resolve.ts";
import { openRoot } from "../../image/tar/beneath.ts";
import { toByteText } from "../../image/tar/entry.ts";
import { Refusal } from "../../oci/error.ts";
import type { HostConfig } from "../../wire/container.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { openBareRootOf } from "../rootfs/root.ts";
import { openBeneath } from "./subpaths.ts";

/** Fills volumes that are empty with what the image has where they are mounted. */
export async function fillVolumes(
  context: Context,
  container: Container,
  names: readonly string[],
): Promise<void> {
  const root = await openBareRootOf(context, container);
  const rootFd = openRoot(root.path);
  const holder = `copies of ${container.record.id}`;
  const { record } = container;
  try {
    for (const { Name, Destination, Source } of record.mounts) {
      if (Name === undefined || !names.includes(Name)) continue;
      const directory = directoryAt(rootFd, Destination);
      if (directory === null) continue;
      let part: number | undefined;
      try {
        await context.volumeMounts.hold(Name, holder);
        const subpath = subpathAt(record.host, Destination);
        part = subpath === undefined ? undefined : openPart(Source, subpath);
        if (subpath !== undefined && part === undefined) continue;
        await context.volumes.fill(
          Name,
          `/proc/self/fd/${directory}`,
          part === undefined ? undefined : `/proc/self/fd/${part}`,
        );
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        throw new Refusal(error.kind, `failed to populate volume: ${error.message}`, { cause: error });
      } finally {
        if (part !== undefined) closeSync(part);
        await context.volumeMounts.release(Name, holder);
        closeSync(directory);
      }
    }
  } finally {
    closeSync(rootFd);
    await root.close();
  }
}

const subpathAt = ({ Mounts }: HostConfig, destination: string): string | undefined =>
  Mounts?.find(({ Target = "" }) => cleanPath(Target) === destination)?.VolumeOptions?.Subpath || undefined;

/** Descriptor of a part of a volume; what is wrong with one that cannot be had the start says. */
function openPart(volume: string, subpath: string): number | undefined {
  try {
    return openBeneath(volume, subpath);
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

/** Descriptor of a directory in the image, null when there is none. */
function directoryAt(root: number, path: string): number | null {
  try {
    const parts = path.split("/").filter((part) => part !== "");
    return resolveDirectory(root, parts.map(toByteText)).fd;
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

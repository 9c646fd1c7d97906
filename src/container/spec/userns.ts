import type { IdMapping } from "../../oci/runtime/spec.ts";

/** The ids of a container's user namespace. */
export interface IdMaps {
  readonly uids: readonly IdMapping[];
  readonly gids: readonly IdMapping[];
}

/** The kernel takes no more lines (user_namespaces(7)). */
const MOST_RANGES = 340;
const IDS = 2 ** 32 - 1;

/**
 * The ranges of `--userns uid=0:100000:65536,gid=0:100000:65536`: first id in the container, first id on the host,
 * how many; a word may come again for further ranges. Without `gid` the uids' ranges hold for both.
 * `""`, `host` and `private` mean no user namespace, as with a Docker daemon that remaps nothing.
 * @returns undefined for no user namespace, a sentence for a mode that makes no sense
 */
export function parseUserns(mode: string | undefined): IdMaps | undefined | string {
  if (mode === undefined || mode === "" || mode === "host" || mode === "private") return undefined;
  const ranges = { uid: [] as IdMapping[], gid: [] as IdMapping[] };
  for (const part of mode.split(",")) {
    const match = /^(uid|gid)=(\d{1,10}):(\d{1,10}):(\d{1,10})$/.exec(part);
    if (!match) {
      return `invalid USER mode: ${mode}: it is "host" or ranges such as uid=0:100000:65536,gid=0:100000:65536`;
    }
    const [containerID, hostID, size] = match.slice(2).map(Number) as [number, number, number];
    ranges[match[1] as "uid" | "gid"].push({ containerID, hostID, size });
  }
  if (ranges.uid.length === 0) return `invalid USER mode: ${mode}: it has no range of uids`;
  const maps = { uids: ranges.uid, gids: ranges.gid.length > 0 ? ranges.gid : ranges.uid };
  const wrong = wrongRanges(maps.uids) ?? wrongRanges(maps.gids);
  return wrong === undefined ? maps : `invalid USER mode: ${mode}: ${wrong}`;
}

function wrongRanges(ranges: readonly IdMapping[]): string | undefined {
  if (ranges.length > MOST_RANGES) return `the kernel takes at most ${MOST_RANGES} ranges`;
  for (const { containerID, hostID, size } of ranges) {
    if (size === 0) return "a range must hold at least one id";
    if (containerID + size > IDS || hostID + size > IDS) return `ids end at ${IDS - 1}`;
  }
  for (const side of ["containerID", "hostID"] as const) {
    const ordered = ranges.toSorted((a, b) => a[side] - b[side]);
    if (
      ordered.some(
        (range, index) => index > 0 && ordered[index - 1]![side] + ordered[index - 1]!.size > range[side],
      )
    ) {
      return "ranges overlap";
    }
  }
  return undefined;
}

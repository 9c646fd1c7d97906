import type { PlannedMount } from "./mounts.ts";

/**
 * Where the plan may name paths of the container without care. Between the pivot and the first mount of somebody
 * else's files, `/proc`, `/sys` and `/dev` have just been mounted without following links, and all that is below them
 * is the kernel's or the plan's: one call for each path is enough there, and most containers need no other.
 */
export interface Stages {
  /** Mounted first, by their paths. */
  readonly own: readonly PlannedMount[];
  /** Everything after the first mount that is not so. */
  readonly others: readonly PlannedMount[];
  /** Whether what is in `/proc` and `/sys` can be covered between the two: nothing of the others is meant for there. */
  readonly confinedEarly: boolean;
}

const TOPS = ["/proc", "/sys", "/dev"];
const below = (path: string, top: string) => path.startsWith(`${top}/`);

/** Whether a path is a place of its own in the root, where a link is not followed. */
export const isTop = (destination: string): boolean => TOPS.includes(destination);

/** Sort the mounts of a container, which stay in their order. */
export function stagesOf(mounts: readonly PlannedMount[]): Stages {
  const made = new Set<string>();
  const first = mounts.findIndex(({ mount: { destination }, options }) => {
    if (options.bind !== "no") return true;
    if (isTop(destination)) made.add(destination);
    return ![...made].some((top) => destination === top || below(destination, top));
  });
  const own = first < 0 ? mounts : mounts.slice(0, first);
  const others = first < 0 ? [] : mounts.slice(first);
  const meant = ({ mount: { destination } }: PlannedMount) =>
    ["/proc", "/sys"].some((top) => destination === top || below(destination, top));
  return {
    own,
    others,
    confinedEarly: TOPS.every((top) => made.has(top)) && !others.some(meant),
  };
}

/** Whether nothing but the kernel's own files is on the way to a path. */
export const inKernel = (path: string): boolean => below(path, "/proc") || below(path, "/sys");

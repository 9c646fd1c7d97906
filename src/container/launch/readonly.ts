import { MOUNT_ATTR, MS } from "../../kernel/flags.ts";
import { close } from "../../plan/build.ts";
import type { Step } from "../../plan/step.ts";
import { type PlannedMount, setAttribute } from "./mounts.ts";

/**
 * Empty file systems of a bundle that are read-only for the container alone: devices, places of other mounts and the
 * mode of what they cover come into them first, as with runc.
 */
export function readonlyLast(planned: PlannedMount): PlannedMount {
  const { mount, options } = planned;
  const { bind, flags, remount, set, tmpcopyup } = options;
  const empty = mount.type === "tmpfs" || mount.destination === "/dev";
  if (!empty || bind !== "no" || remount || tmpcopyup || (set & MOUNT_ATTR.RDONLY) === 0) return planned;
  const writable = {
    ...options,
    flags: flags & ~MS.RDONLY,
    flagNames: options.flagNames.filter((name) => name !== "MS_RDONLY"),
    set: set & ~MOUNT_ATTR.RDONLY,
  };
  return { ...planned, options: writable, readonlyLast: true };
}

/** Once all is in them. What was mounted is still open, whatever covers it by now. */
export function makeReadonly(mounts: readonly PlannedMount[]): Step[] {
  return mounts.flatMap(({ readonlyLast, reason, tree }) =>
    readonlyLast === true
      ? [setAttribute(tree, { set: MOUNT_ATTR.RDONLY }, false, reason), close(tree, "close it")]
      : [],
  );
}

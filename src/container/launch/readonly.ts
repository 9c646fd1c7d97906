import { AT, MOUNT_ATTR, MS } from "../../kernel/flags.ts";
import { call, close, from, mem, num, str, struct, u64 } from "../../plan/build.ts";
import type { Step } from "../../plan/step.ts";
import type { PlannedMount } from "./mounts.ts";

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
  const attributes = struct([u64(MOUNT_ATTR.RDONLY, 0, 0, 0)]);
  return mounts.flatMap(({ readonlyLast, reason, tree }) =>
    readonlyLast === true
      ? [
          call(
            "mount_setattr",
            [
              from(tree),
              str(""),
              num(AT.EMPTY_PATH, "AT_EMPTY_PATH"),
              mem(attributes, "set MOUNT_ATTR_RDONLY"),
              num(32),
            ],
            reason,
          ),
          close(tree, "close it"),
        ]
      : [],
  );
}

import { posix } from "node:path";
import type { Hierarchy } from "../../cgroup/layout.ts";
import { directoryIn } from "../../cgroup/layout.ts";
import type { CgroupPlan } from "../../cgroup/plan.ts";
import { MNT_DETACH, MS, OPEN_TREE } from "../../kernel/flags.ts";
import type { Mount } from "../../oci/runtime/spec.ts";
import { call, num, str } from "../../plan/build.ts";
import type { Step } from "../../plan/step.ts";
import { cgroupTrees } from "./bundle-cgroups.ts";
import { copyUp } from "./copy-up.ts";
import { HERE } from "./files.ts";
import type { Bundle } from "./hooks.ts";
import {
  makeFileSystem,
  mountCall,
  openSourceInside,
  type PlannedMount,
  propagateTree,
  recursiveAttributes,
} from "./mounts.ts";
import { attachInside, mayCoverProc, takeMode } from "./place.ts";

/** The mounts of a bundle: any type, source and option, in an image that nobody vouches for. */

/** A mount with its paths as they are meant: the source relative to the bundle, the destination to the root. */
export function inBundle(mount: Mount, index: number, bundle: Bundle): Mount {
  const written = posix.join("/", mount.destination);
  const destination = pathInside(written, bundle) ?? written;
  if (!mayCoverProc(destination))
    throw new Error(
      `Cannot launch: mounts[${index}].destination: ${destination} is inside /proc, where only a few files may be covered: choose another place`,
    );
  if (destination === "/")
    throw new Error(`Cannot launch: mounts[${index}].destination: the root is root.path, not a mount`);
  const bind = mount.type === "bind" || mount.options?.some((word) => word === "bind" || word === "rbind");
  const { source } = mount;
  if (bind !== true) return { ...mount, destination };
  if (source === undefined || source === "")
    throw new Error(`Cannot launch: mounts[${index}].source: a bind mount needs one`);
  return { ...mount, destination, source: posix.resolve(bundle.path, source) };
}

/** A path of the host's as one in the container's root, if it leads there by its name. */
const pathInside = (path: string, { root }: Bundle): string | undefined =>
  path.startsWith(`${root}/`) ? path.slice(root.length) : undefined;

/**
 * A bind mount whose source is in the container's root takes it from what the container sees by then, mounts before it
 * too (as with runc), and no link of the image leads it out. The owners of a source are shown otherwise on the host.
 */
export function fromInside(planned: PlannedMount, bundle: Bundle): PlannedMount {
  const { bind, idmap, remount } = planned.options;
  if (bind === "no" || idmap || remount) return planned;
  const inside = pathInside(planned.mount.source ?? "", bundle);
  return inside === undefined ? planned : { ...planned, inside };
}

/** Types that are made from nothing: what their source names is no path. */
const VIRTUAL = new Set([
  "tmpfs",
  "ramfs",
  "proc",
  "sysfs",
  "devpts",
  "mqueue",
  "cgroup",
  "cgroup2",
  "bpf",
  "hugetlbfs",
  "debugfs",
  "tracefs",
  "securityfs",
  "configfs",
  "pstore",
  "binfmt_misc",
  "devtmpfs",
]);

const isBind = ({ options }: PlannedMount) => options.bind !== "no";

/** Whether its source or its options are paths of the host. */
const fromHost = (planned: PlannedMount): boolean =>
  !isBind(planned) && !planned.options.remount && !VIRTUAL.has(planned.mount.type ?? "");

/** Whether it is made from nothing, and nothing of the image or of the host goes into it. */
export const isPlain = ({ mount, options, readonlyLast }: PlannedMount): boolean =>
  VIRTUAL.has(mount.type ?? "") &&
  readonlyLast !== true &&
  !options.remount &&
  !options.tmpcopyup &&
  options.recursiveSet === 0 &&
  options.recursiveClear === 0;

/**
 * While the host's paths are there: file systems on devices and such, mounted on `place` for a moment, which the root
 * covers afterwards, and taken from there.
 */
export function mountFromHost(mounts: readonly PlannedMount[], place: string): Step[] {
  return mounts.filter(fromHost).flatMap(({ index, mount, options, reason, tree }) => {
    const { data, flagNames, flags } = options;
    if (mount.type === undefined || mount.type === "none")
      throw new Error(`Cannot launch: mounts[${index}].type: it is missing: name a file system, or use bind`);
    const how = OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC;
    return [
      mountCall(mount.source ?? mount.type, place, mount.type, flags, flagNames, data, reason),
      call("open_tree", [HERE, str(place), num(how, "OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC")], reason, {
        result: tree,
      }),
      call("umount2", [str(place), num(MNT_DETACH, "MNT_DETACH")], reason),
    ];
  });
}

export interface MountParts {
  readonly mounts: readonly PlannedMount[];
  readonly trees: readonly Hierarchy[];
  /** Whether its own cgroup is the root of what it sees. */
  readonly ownCgroups: boolean;
  /** File systems that were made while the host's own were in sight. */
  readonly made: (planned: PlannedMount) => boolean;
  /** Steps that fill a fresh `/dev`. */
  readonly devices: readonly Step[];
}

/** In the container's root, in the configuration's order. */
export function mountAll(parts: MountParts): Step[] {
  const { devices, mounts } = parts;
  const covered = mounts.some(({ mount }) => mount.destination === "/dev");
  return [
    ...mounts.flatMap((planned) => [
      ...mountOne(planned, parts),
      ...(planned.mount.destination === "/dev" && !isBind(planned) ? devices : []),
    ]),
    // Without one of its own the root's /dev gets the devices that every container has (config-linux.md).
    ...(covered ? [] : devices),
  ];
}

/** One of them, with care. */
export function mountOne(planned: PlannedMount, parts: MountParts): Step[] {
  const { directory, mount, options, reason, tree } = planned;
  const { destination, type } = mount;
  if (options.remount) return [remount(planned)];
  const { inside } = planned;
  if (isBind(planned) && inside !== undefined)
    return [
      ...openSourceInside(planned, inside),
      ...attachInside(tree, destination, directory ? "directory" : "file", reason),
    ];
  if (isBind(planned)) return attachInside(tree, destination, directory ? "directory" : "file", reason);
  if (type === "cgroup") return cgroupTrees(planned, parts.trees, parts.ownCgroups);
  if (options.tmpcopyup && type === "tmpfs") return copyUp(planned);
  return [
    ...(parts.made(planned) || fromHost(planned) ? [] : makeFileSystem(planned)),
    ...propagateTree(tree, options, reason),
    ...recursiveAttributes(tree, options, reason),
    // As runc has it: what covers a directory of the image may be used as that might.
    ...(type === "tmpfs" && !/(^|,)mode=/.test(options.data) ? [takeMode(tree, destination, reason)] : []),
    ...attachInside(tree, destination, "directory", reason, planned.readonlyLast === true),
  ];
}

/** mount(8), "remount": with `bind` only the mount changes, else its file system. */
function remount({ mount, options, reason }: PlannedMount): Step {
  const bind = options.bind === "no" ? [] : ["MS_BIND"];
  const flags = options.flags | MS.REMOUNT | (bind.length === 0 ? 0 : MS.BIND);
  const names = [...options.flagNames, "MS_REMOUNT", ...bind];
  return mountCall("none", mount.destination, "none", flags, names, options.data, reason);
}

/** Where a bundle's own cgroup is in each tree, opened while the host's paths are there; the caller's if it stays there. */
export function openOwnCgroups(trees: readonly Hierarchy[], { attach, cgroup, unified }: CgroupPlan): Step[] {
  const stays = attach.length === 0 && unified === undefined;
  return trees.map((tree, index) =>
    call(
      "open_tree",
      [
        HERE,
        str(directoryIn(tree, stays ? tree.own : cgroup)),
        num(OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC, "OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC"),
      ],
      { why: "show the container its own cgroup only" },
      { result: `cgroup-tree.${index}` },
    ),
  );
}

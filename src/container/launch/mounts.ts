import {
  AT,
  FSCONFIG,
  FSMOUNT_CLOEXEC,
  FSOPEN_CLOEXEC,
  flags,
  MOUNT_ATTR,
  MOVE_MOUNT,
  MS,
  OPEN_TREE,
} from "../../kernel/flags.ts";
import type { Mount } from "../../oci/runtime/spec.ts";
import { call, close, from, mem, num, str, struct, u64 } from "../../plan/build.ts";
import type { Arg, Call, Reason, Slot, Step } from "../../plan/step.ts";
import { HERE, makeDirectories } from "./files.ts";
import { type MountOptions, mountOptions, type Propagation, parametersOf } from "./mount-options.ts";
import { isTop } from "./own.ts";
import { copyOf, openInside } from "./place.ts";
import { inAnother, openInAnother } from "./shared-memory.ts";

/** A mount of the runtime configuration with its place in it. */
export interface PlannedMount {
  readonly mount: Mount;
  /** Its number in the configuration. */
  readonly index: number;
  readonly options: MountOptions;
  /** What will be attached: the opened source of a bind, or a made file system. */
  readonly tree: Slot;
  /** Whether the source is a directory, as the engine saw it. A later swap makes `move_mount` fail. */
  readonly directory: boolean;
  /** The source of a bind mount, where that is a path of the container's root. */
  readonly inside?: string;
  /** It stays open, and becomes read-only when nothing more comes into it. */
  readonly readonlyLast?: true;
  readonly reason: Reason;
}

/**
 * Open the source of a bind mount while the host's tree is still the tree (invariant 1). What is attached
 * later is this mount, whatever symlinks the image has.
 */
export function openSource(planned: PlannedMount): Step[] {
  const { options, tree, reason, mount } = planned;
  const how = OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC | (options.bind === "rbind" ? AT.RECURSIVE : 0);
  const text = `OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC${options.bind === "rbind" ? "|AT_RECURSIVE" : ""}`;
  const source = mount.source ?? "";
  return [
    ...(inAnother(source)
      ? openInAnother(source, tree, reason)
      : [call("open_tree", [HERE, str(source), num(how, text)], reason, { result: tree })]),
    ...setAttributes(tree, options, reason),
  ];
}

/** The same for a path of the container's root, once the mounts before it are there. */
export function openSourceInside({ options, reason, tree }: PlannedMount, inside: string): Step[] {
  const source: Slot = "bind-source";
  return [
    openInside(inside, source, reason),
    copyOf(source, tree, reason, options.bind === "rbind"),
    close(source, "close it"),
    ...setAttributes(tree, options, reason),
  ];
}

const PRIVATE = { flag: MS.PRIVATE, recursive: true };

/** Propagation and flags of a tree that is not attached anywhere yet. */
function setAttributes(tree: Slot, options: MountOptions, reason: Reason): Step[] {
  const { base, propagation } = options;
  const own = base === undefined && propagation.length > 0 ? [] : [base ?? PRIVATE];
  // "shared" alone asks for the peer group of the source, where the tree is already; a source without one gets one.
  const asked = [...own, ...propagation];
  const steps: Step[] = asked.map(({ flag, recursive }) =>
    setAttribute(tree, { propagation: flag }, recursive, reason),
  );
  const atime = options.clear & MOUNT_ATTR.ATIME;
  if (options.set !== 0 || atime !== 0)
    steps.push(setAttribute(tree, { set: options.set, clear: atime }, false, reason));
  return [...steps, ...recursiveAttributes(tree, options, reason)];
}

/** `rro` and its like. */
export function recursiveAttributes(tree: Slot, options: MountOptions, reason: Reason): Step[] {
  const { recursiveClear: clear, recursiveSet: set } = options;
  return set === 0 && clear === 0 ? [] : [setAttribute(tree, { set, clear }, true, reason)];
}

interface Attributes {
  readonly set?: number;
  readonly clear?: number;
  readonly propagation?: number;
}

/** mount_setattr(2) with `struct mount_attr`: attr_set, attr_clr, propagation, userns_fd. */
export function setAttribute(tree: Slot, attributes: Attributes, recursive: boolean, reason: Reason): Call {
  const { set = 0, clear = 0, propagation = 0 } = attributes;
  const how = AT.EMPTY_PATH | (recursive ? AT.RECURSIVE : 0);
  return call(
    "mount_setattr",
    [
      from(tree),
      str(""),
      num(how, recursive ? "AT_EMPTY_PATH|AT_RECURSIVE" : "AT_EMPTY_PATH"),
      mem(struct([u64(set, clear, propagation, 0)]), attributeText(attributes)),
      num(32),
    ],
    reason,
  );
}

function attributeText({ set = 0, clear = 0, propagation = 0 }: Attributes): string {
  const names = (value: number) =>
    Object.entries(MOUNT_ATTR)
      .filter(([name, bit]) => (name === "ATIME" ? (value & bit) === bit : (value & bit) !== 0))
      .map(([name]) => `MOUNT_ATTR_${name}`)
      .join("|");
  const kinds = Object.entries({
    MS_PRIVATE: MS.PRIVATE,
    MS_SLAVE: MS.SLAVE,
    MS_SHARED: MS.SHARED,
    MS_UNBINDABLE: MS.UNBINDABLE,
  });
  return [
    set === 0 ? "" : `set ${names(set)}`,
    clear === 0 ? "" : `clear ${clear === MOUNT_ATTR.ATIME ? "MOUNT_ATTR__ATIME" : names(clear)}`,
    kinds.find(([, flag]) => flag === propagation)?.[0] ?? "",
  ]
    .filter((part) => part !== "")
    .join(", ");
}

/** Attach a tree at `destination` of the container, following links that lead nowhere but inside. */
export function attachTree(tree: Slot, destination: string, reason: Reason): Step[] {
  return [moveMount(tree, destination, true, reason), close(tree, "close it")];
}

function moveMount(tree: Slot, destination: string, followLinks: boolean, reason: Reason): Step {
  const how = followLinks
    ? flags("MOVE_MOUNT", MOVE_MOUNT, "F_EMPTY_PATH", "T_SYMLINKS")
    : flags("MOVE_MOUNT", MOVE_MOUNT, "F_EMPTY_PATH");
  return call("move_mount", [from(tree), str(""), HERE, str(destination), num(how.value, how.text)], reason);
}

/** Mount a file system of the kernel. */
export function mountFileSystem(planned: PlannedMount): Step[] {
  const { mount, options, reason } = planned;
  const type = mount.type ?? "none";
  if (isTop(mount.destination)) return [...makeFileSystem(planned), ...attachFileSystem(planned)];
  return [
    ...makeDirectories(mount.destination, reason),
    mountCall(
      mount.source ?? type,
      mount.destination,
      type,
      options.flags,
      options.flagNames,
      options.data,
      reason,
    ),
    ...propagate(mount.destination, options, reason),
  ];
}

/** mount(2). */
export function mountCall(
  source: string,
  destination: string,
  type: string,
  flagBits: number,
  flagNames: readonly string[],
  data: string,
  reason: Reason,
): Step {
  const extra: Arg = data === "" ? num(0) : str(data);
  return call(
    "mount",
    [str(source), str(destination), str(type), num(flagBits, flagNames.join("|") || "0"), extra],
    reason,
  );
}

/** Change the propagation of what is mounted at `destination`. */
export function propagate(
  destination: string,
  options: Pick<MountOptions, "propagation">,
  reason: Reason,
): Step[] {
  return options.propagation.map(({ flag, recursive }) => {
    const name = Object.entries(MS).find(([, value]) => value === flag)?.[0] ?? "";
    const names = [`MS_${name}`, ...(recursive ? ["MS_REC"] : [])];
    return mountCall("none", destination, "none", flag | (recursive ? MS.REC : 0), names, "", reason);
  });
}

/** The same for a file system that is attached nowhere yet. */
export function propagateTree(tree: Slot, options: MountOptions, reason: Reason): Step[] {
  return options.propagation.map(({ flag, recursive }) =>
    setAttribute(tree, { propagation: flag }, recursive, reason),
  );
}

/** Flags that belong to the file system itself, not to the mount (fs/fs_context.c). */
const SUPERBLOCK: readonly (readonly [number, string])[] = [
  [MS.SYNCHRONOUS, "sync"],
  [MS.DIRSYNC, "dirsync"],
  [MS.MANDLOCK, "mand"],
  [MS.LAZYTIME, "lazytime"],
];

/** Make a file system of the kernel that is attached nowhere yet: fsopen, fsconfig, fsmount. */
export function makeFileSystem({ mount, options, reason, tree }: PlannedMount): Step[] {
  const type = mount.type ?? "none";
  const parameters = [
    ...SUPERBLOCK.filter(([bit]) => (options.flags & bit) !== 0).map(([, word]) => word),
    ...parametersOf(options.data),
  ];
  const set = parameters.map((parameter) => {
    const at = parameter.indexOf("=");
    const key = at < 0 ? parameter : parameter.slice(0, at);
    return at < 0
      ? call(
          "fsconfig",
          [from("fs"), num(FSCONFIG.SET_FLAG, "FSCONFIG_SET_FLAG"), str(key), num(0), num(0)],
          reason,
        )
      : call(
          "fsconfig",
          [
            from("fs"),
            num(FSCONFIG.SET_STRING, "FSCONFIG_SET_STRING"),
            str(key),
            str(parameter.slice(at + 1)),
            num(0),
          ],
          reason,
        );
  });
  return [
    call("fsopen", [str(type), num(FSOPEN_CLOEXEC, "FSOPEN_CLOEXEC")], reason, { result: "fs" }),
    call(
      "fsconfig",
      [
        from("fs"),
        num(FSCONFIG.SET_STRING, "FSCONFIG_SET_STRING"),
        str("source"),
        str(mount.source ?? type),
        num(0),
      ],
      reason,
    ),
    ...set,
    call(
      "fsconfig",
      [from("fs"), num(FSCONFIG.CMD_CREATE, "FSCONFIG_CMD_CREATE"), num(0), num(0), num(0)],
      reason,
    ),
    call(
      "fsmount",
      [
        from("fs"),
        num(FSMOUNT_CLOEXEC, "FSMOUNT_CLOEXEC"),
        num(options.set, attributeText({ set: options.set }).slice(4) || "0"),
      ],
      reason,
      { result: tree },
    ),
    close("fs", "close it"),
  ];
}

/** Attach it; `move_mount` is the only way not to follow a link at the end. */
export function attachFileSystem({ mount, options, reason, tree }: PlannedMount): Step[] {
  const hint =
    "it must be mounted on ordinary directory, and the image has something else there; a link is not followed";
  const follow = !isTop(mount.destination);
  return [
    ...makeDirectories(mount.destination, reason),
    moveMount(tree, mount.destination, follow, { ...reason, hint }),
    close(tree, "close it"),
    ...propagate(mount.destination, options, reason),
  ];
}

/** Sort out a mount of the configuration. `isDirectory` answers for bind sources. */
export function planMount(
  mount: Mount,
  index: number,
  isDirectory: (path: string) => boolean,
  reason: Reason,
  base?: Propagation,
): PlannedMount {
  const read = mountOptions(mount.options ?? []);
  // Mappings of its own say so too (config.md, "Mounts").
  const idmap = read.idmap || (mount.uidMappings?.length ?? 0) > 0;
  const options = { ...read, idmap, ...(base === undefined ? {} : { base }) };
  const bind =
    mount.type === "bind" && options.bind === "no" ? { ...options, bind: "bind" as const } : options;
  return {
    mount,
    index,
    options: bind,
    tree: `tree.${index}`,
    directory: bind.bind === "no" || isDirectory(mount.source ?? ""),
    reason,
  };
}

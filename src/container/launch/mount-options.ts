import { MOUNT_ATTR, MS } from "../../kernel/flags.ts";

/** What the words of a mount's `options` mean (runtime-spec, config.md "Linux mount options"; mount(8)). */
export interface MountOptions {
  /** `MS_*` for mount(2). */
  readonly flags: number;
  readonly flagNames: readonly string[];
  /** `MOUNT_ATTR_*` to set and to clear, for mount_setattr(2) on a bind mount. */
  readonly set: number;
  readonly clear: number;
  /** The same, for a whole tree (`rro` and its like). */
  readonly recursiveSet: number;
  readonly recursiveClear: number;
  readonly bind: "no" | "bind" | "rbind";
  /** `MS_PRIVATE`, `MS_SLAVE`, `MS_SHARED` or `MS_UNBINDABLE`; `recursive` for the words with an r. */
  readonly propagation: { readonly flag: number; readonly recursive: boolean } | undefined;
  /** What is left for the file system itself. */
  readonly data: string;
  /** Show the owners of its files through the container's user namespace (runtime-spec, "idmap"). */
  readonly idmap: boolean;
  /** The same for all mounts below it (`ridmap`). */
  readonly recursiveIdmap: boolean;
  /** Copy what the image has at the destination into the tmpfs. */
  readonly tmpcopyup: boolean;
}

/** word → [MS flag, set?]: `suid` clears what `nosuid` sets. */
const FLAGS: Readonly<Record<string, readonly [keyof typeof MS, boolean]>> = {
  ro: ["RDONLY", true],
  rw: ["RDONLY", false],
  nosuid: ["NOSUID", true],
  suid: ["NOSUID", false],
  nodev: ["NODEV", true],
  dev: ["NODEV", false],
  noexec: ["NOEXEC", true],
  exec: ["NOEXEC", false],
  sync: ["SYNCHRONOUS", true],
  async: ["SYNCHRONOUS", false],
  dirsync: ["DIRSYNC", true],
  mand: ["MANDLOCK", true],
  nomand: ["MANDLOCK", false],
  noatime: ["NOATIME", true],
  atime: ["NOATIME", false],
  nodiratime: ["NODIRATIME", true],
  diratime: ["NODIRATIME", false],
  relatime: ["RELATIME", true],
  norelatime: ["RELATIME", false],
  strictatime: ["STRICTATIME", true],
  nostrictatime: ["STRICTATIME", false],
  lazytime: ["LAZYTIME", true],
  nolazytime: ["LAZYTIME", false],
  silent: ["SILENT", true],
  loud: ["SILENT", false],
};

/** Attributes that bind mounts can have, by the same words; with an `r` before them for whole trees. */
const ATTRIBUTES: Readonly<Record<string, readonly [number, boolean]>> = {
  ro: [MOUNT_ATTR.RDONLY, true],
  rw: [MOUNT_ATTR.RDONLY, false],
  nosuid: [MOUNT_ATTR.NOSUID, true],
  suid: [MOUNT_ATTR.NOSUID, false],
  nodev: [MOUNT_ATTR.NODEV, true],
  dev: [MOUNT_ATTR.NODEV, false],
  noexec: [MOUNT_ATTR.NOEXEC, true],
  exec: [MOUNT_ATTR.NOEXEC, false],
  nodiratime: [MOUNT_ATTR.NODIRATIME, true],
  diratime: [MOUNT_ATTR.NODIRATIME, false],
  nosymfollow: [MOUNT_ATTR.NOSYMFOLLOW, true],
  symfollow: [MOUNT_ATTR.NOSYMFOLLOW, false],
};

const PROPAGATION: Readonly<Record<string, number>> = {
  private: MS.PRIVATE,
  slave: MS.SLAVE,
  shared: MS.SHARED,
  unbindable: MS.UNBINDABLE,
};

/** Words that mean nothing to the kernel: how Docker for other systems keeps files consistent. */
const IGNORED = new Set(["defaults", "consistent", "cached", "delegated", "z", "Z", "nocopy", "copy"]);

/** Every word that has a meaning here, for those who ask what is supported. */
export const knownMountOptions = (): readonly string[] =>
  [
    ...["bind", "rbind", "idmap", "tmpcopyup", ...Object.keys(FLAGS), ...Object.keys(ATTRIBUTES)],
    ...Object.keys(ATTRIBUTES).map((word) => `r${word}`),
    ...Object.keys(PROPAGATION).flatMap((word) => [word, `r${word}`]),
    ...IGNORED,
  ]
    .filter((word, index, all) => all.indexOf(word) === index)
    .sort();

/** Sort the words of `options` by who has to act on them. */
export function mountOptions(options: readonly string[]): MountOptions {
  let flagsSet = 0;
  let set = 0;
  let clear = 0;
  let recursiveSet = 0;
  let recursiveClear = 0;
  let bind: MountOptions["bind"] = "no";
  let propagation: MountOptions["propagation"];
  let tmpcopyup = false;
  let idmap = false;
  let recursiveIdmap = false;
  const data: string[] = [];
  for (const word of options) {
    const flag = FLAGS[word];
    const attribute = ATTRIBUTES[word];
    const recursive = word.startsWith("r") ? ATTRIBUTES[word.slice(1)] : undefined;
    if (word === "bind" || word === "rbind") bind = word;
    else if (PROPAGATION[word] !== undefined) propagation = { flag: PROPAGATION[word], recursive: false };
    else if (word.startsWith("r") && PROPAGATION[word.slice(1)] !== undefined) {
      propagation = { flag: PROPAGATION[word.slice(1)]!, recursive: true };
    } else if (word === "tmpcopyup") tmpcopyup = true;
    else if (word === "idmap") idmap = true;
    else if (word === "ridmap") idmap = recursiveIdmap = true;
    else if (flag !== undefined || attribute !== undefined) {
      if (flag !== undefined) flagsSet = flag[1] ? flagsSet | MS[flag[0]] : flagsSet & ~MS[flag[0]];
      if (attribute !== undefined) {
        set = attribute[1] ? set | attribute[0] : set & ~attribute[0];
        clear = attribute[1] ? clear & ~attribute[0] : clear | attribute[0];
      }
    } else if (recursive !== undefined) {
      if (recursive[1]) recursiveSet |= recursive[0];
      else recursiveClear |= recursive[0];
    } else if (!IGNORED.has(word)) data.push(word);
  }
  const flagNames = Object.entries(MS)
    .filter(([, value]) => (flagsSet & value) !== 0)
    .map(([name]) => `MS_${name}`);
  return {
    flags: flagsSet,
    flagNames,
    set,
    clear,
    recursiveSet,
    recursiveClear,
    bind,
    propagation,
    data: data.join(","),
    idmap,
    recursiveIdmap,
    tmpcopyup,
  };
}

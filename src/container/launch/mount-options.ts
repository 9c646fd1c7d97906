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
  /** `MS_PRIVATE`, `MS_SLAVE`, `MS_SHARED` or `MS_UNBINDABLE`, in their order; `recursive` for the words with an r. */
  readonly propagation: readonly Propagation[];
  /** What a bind mount of a bundle has before that, from the propagation of the root. */
  readonly base?: Propagation;
  /** Change what is mounted there already. */
  readonly remount: boolean;
  /** What is left for the file system itself. */
  readonly data: string;
  /** Show the owners of its files through the container's user namespace (runtime-spec, "idmap"). */
  readonly idmap: boolean;
  /** The same for all mounts below it (`ridmap`). */
  readonly recursiveIdmap: boolean;
  /** Copy what the image has at the destination into the tmpfs. */
  readonly tmpcopyup: boolean;
}

export interface Propagation {
  readonly flag: number;
  readonly recursive: boolean;
}

/** `linux.rootfsPropagation`: bind mounts have it too, where they ask for nothing else; slaves when it is absent (as with runc). */
export function basePropagation(word = "rslave"): Propagation {
  // What cannot be bound again could not be bound in the first place.
  const flag = PROPAGATION[word] ?? PROPAGATION[word.slice(1)] ?? MS.SLAVE;
  return { flag: flag === MS.UNBINDABLE ? MS.PRIVATE : flag, recursive: true };
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
  nosymfollow: ["NOSYMFOLLOW", true],
  symfollow: ["NOSYMFOLLOW", false],
  acl: ["POSIXACL", true],
  noacl: ["POSIXACL", false],
  iversion: ["I_VERSION", true],
  noiversion: ["I_VERSION", false],
};

/**
 * Attributes that bind mounts can have, by the same words; with an `r` before them for whole trees. When times of
 * access are written is one value of several bits, which is cleared before it is set (mount_setattr(2)).
 */
const ATTRIBUTES: Readonly<Record<string, { readonly set: number; readonly clear: number }>> = {
  ...bit("ro", "rw", MOUNT_ATTR.RDONLY),
  ...bit("nosuid", "suid", MOUNT_ATTR.NOSUID),
  ...bit("nodev", "dev", MOUNT_ATTR.NODEV),
  ...bit("noexec", "exec", MOUNT_ATTR.NOEXEC),
  ...bit("nodiratime", "diratime", MOUNT_ATTR.NODIRATIME),
  ...bit("nosymfollow", "symfollow", MOUNT_ATTR.NOSYMFOLLOW),
  noatime: { set: MOUNT_ATTR.NOATIME, clear: MOUNT_ATTR.ATIME },
  strictatime: { set: MOUNT_ATTR.STRICTATIME, clear: MOUNT_ATTR.ATIME },
  // What the kernel does when nothing else is asked for.
  relatime: { set: 0, clear: MOUNT_ATTR.ATIME },
  atime: { set: 0, clear: MOUNT_ATTR.ATIME },
  norelatime: { set: 0, clear: MOUNT_ATTR.ATIME },
  nostrictatime: { set: 0, clear: MOUNT_ATTR.ATIME },
};

function bit(word: string, opposite: string, attribute: number) {
  return { [word]: { set: attribute, clear: 0 }, [opposite]: { set: 0, clear: attribute } };
}

/** One word after another: the later one wins. */
function apply(to: { set: number; clear: number }, { clear, set }: { set: number; clear: number }): void {
  to.set = (to.set & ~clear) | set;
  to.clear = ((to.clear & ~set) | clear) >>> 0;
}

const PROPAGATION: Readonly<Record<string, number>> = {
  private: MS.PRIVATE,
  slave: MS.SLAVE,
  shared: MS.SHARED,
  unbindable: MS.UNBINDABLE,
};

/** Words that mean nothing to the kernel: how Docker for other systems keeps files consistent. */
const IGNORED = new Set(["defaults", "consistent", "cached", "delegated", "z", "Z", "nocopy", "copy"]);

/** Sort the words of `options` by who has to act on them. */
export function mountOptions(options: readonly string[]): MountOptions {
  let flagsSet = 0;
  const own = { set: 0, clear: 0 };
  const whole = { set: 0, clear: 0 };
  let bind: MountOptions["bind"] = "no";
  const propagation: Propagation[] = [];
  const data: string[] = [];
  const said = new Set(options);
  for (const word of options) {
    const flag = FLAGS[word];
    const attribute = ATTRIBUTES[word];
    const recursive = word.startsWith("r") ? word.slice(1) : "";
    const wholeAttribute = ATTRIBUTES[recursive];
    if (word === "bind" || word === "rbind") bind = word;
    else if (PROPAGATION[word] !== undefined) propagation.push({ flag: PROPAGATION[word], recursive: false });
    else if (PROPAGATION[recursive] !== undefined)
      propagation.push({ flag: PROPAGATION[recursive], recursive: true });
    else if (flag !== undefined || attribute !== undefined) {
      if (flag !== undefined) flagsSet = flag[1] ? flagsSet | MS[flag[0]] : flagsSet & ~MS[flag[0]];
      if (attribute !== undefined) apply(own, attribute);
    } else if (wholeAttribute !== undefined) apply(whole, wholeAttribute);
    else if (!IGNORED.has(word) && !OURS.has(word)) data.push(word);
  }
  const flagNames = Object.entries(MS)
    .filter(([, value]) => (flagsSet & value) !== 0)
    .map(([name]) => `MS_${name}`);
  return {
    flags: flagsSet,
    flagNames,
    set: own.set,
    clear: own.clear,
    recursiveSet: whole.set,
    recursiveClear: whole.clear,
    bind,
    propagation,
    remount: said.has("remount"),
    data: data.join(","),
    idmap: said.has("idmap") || said.has("ridmap"),
    recursiveIdmap: said.has("ridmap"),
    tmpcopyup: said.has("tmpcopyup"),
  };
}

/** Words that neither the kernel nor a file system gets to see. */
const OURS = new Set(["idmap", "ridmap", "tmpcopyup", "remount"]);

/** Every word that means something here, sorted: what `features` tells. */
export const MOUNT_OPTIONS: readonly string[] = [
  ...new Set([
    "bind",
    "rbind",
    "defaults",
    ...OURS,
    ...Object.keys(FLAGS),
    ...Object.keys(ATTRIBUTES).flatMap((word) => [word, `r${word}`]),
    ...Object.keys(PROPAGATION).flatMap((word) => [word, `r${word}`]),
  ]),
].sort();

/** Options of a file system one by one; a value in quotes may have commas, and loses its quotes. */
export function parametersOf(data: string): readonly string[] {
  const words = data.match(/(?:"[^"]*"|[^,"])+/g) ?? [];
  return words.map((word) => word.replace(/^([^=]+=)"([^"]*)"$/, "$1$2"));
}

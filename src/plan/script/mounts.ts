import { basename, dirname, join } from "node:path";
import { AT, FSCONFIG, MOUNT_ATTR, MOVE_MOUNT, MS, OPEN_TREE } from "../../kernel/flags.ts";
import type { Call } from "../step.ts";
import type { Handlers } from "./handler.ts";
import { dataAt, numberAt, slotAt, textAt, words64 } from "./memory.ts";
import { quote } from "./shell.ts";
import {
  type Change,
  noForm,
  note,
  placeIn,
  placeOf,
  rooted,
  run,
  type State,
  say,
  type Thing,
  word,
} from "./state.ts";

/** Calls that mount: mount(8) for all of them. */

type Tree = Extract<Thing, { kind: "tree" }>;
type FileSystem = Extract<Thing, { kind: "fs" }>;

/** `MS_*` that mount(8) has a word for. */
const OPTIONS: readonly (readonly [number, string])[] = [
  [MS.RDONLY, "ro"],
  [MS.NOSUID, "nosuid"],
  [MS.NODEV, "nodev"],
  [MS.NOEXEC, "noexec"],
  [MS.SYNCHRONOUS, "sync"],
  [MS.MANDLOCK, "mand"],
  [MS.DIRSYNC, "dirsync"],
  [MS.NOSYMFOLLOW, "nosymfollow"],
  [MS.NOATIME, "noatime"],
  [MS.NODIRATIME, "nodiratime"],
  [MS.SILENT, "silent"],
  [MS.RELATIME, "relatime"],
  [MS.STRICTATIME, "strictatime"],
  [MS.LAZYTIME, "lazytime"],
  [MS.POSIXACL, "acl"],
  [MS.I_VERSION, "iversion"],
];

const PROPAGATION: readonly (readonly [number, string])[] = [
  [MS.PRIVATE, "private"],
  [MS.SLAVE, "slave"],
  [MS.SHARED, "shared"],
  [MS.UNBINDABLE, "unbindable"],
];

/** `MOUNT_ATTR_*`: the word that sets it, and the one that clears it. */
const ATTRIBUTES: readonly (readonly [number, string, string])[] = [
  [MOUNT_ATTR.RDONLY, "ro", "rw"],
  [MOUNT_ATTR.NOSUID, "nosuid", "suid"],
  [MOUNT_ATTR.NODEV, "nodev", "dev"],
  [MOUNT_ATTR.NOEXEC, "noexec", "exec"],
  [MOUNT_ATTR.NODIRATIME, "nodiratime", "diratime"],
  [MOUNT_ATTR.NOSYMFOLLOW, "nosymfollow", "symfollow"],
];

function optionsOf(flags: number): string[] {
  const left = OPTIONS.reduce((rest, [bit]) => rest & ~bit, flags & ~(MS.REC | MS.BIND | MS.REMOUNT));
  if (left !== 0) throw noForm(`mount flags 0x${left.toString(16)}`);
  return OPTIONS.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name);
}

function attributesOf(set: number, clear: number): string[] {
  const atime = { 0: [], [MOUNT_ATTR.NOATIME]: ["noatime"], [MOUNT_ATTR.STRICTATIME]: ["strictatime"] }[
    set & MOUNT_ATTR.ATIME
  ];
  const left = ATTRIBUTES.reduce((rest, [bit]) => rest & ~bit, (set | clear) & ~MOUNT_ATTR.ATIME);
  if (atime === undefined || left !== 0) throw noForm(`mount attributes 0x${(set | clear).toString(16)}`);
  return [
    ...ATTRIBUTES.filter(([bit]) => (set & bit) !== 0).map(([, name]) => name),
    ...ATTRIBUTES.filter(([bit]) => (clear & bit) !== 0).map(([, , name]) => name),
    ...atime,
  ];
}

/** mount(2), which is six calls in one. */
function mount(state: State, call: Call) {
  const flags = numberAt(call, 3);
  const target = placeOf(state, textAt(call, 1));
  const propagation = PROPAGATION.find(([bit]) => (flags & bit) !== 0);
  if (propagation !== undefined) {
    const how = `--make-${(flags & MS.REC) !== 0 ? "r" : ""}${propagation[1]}`;
    // A shared mount cannot be made the root (pivot_root(2)): it is shared afterwards.
    if (state.pivoted) state.afterPivot.push({ reason: call, words: ["mount", how, quote(textAt(call, 1))] });
    else run(state, "mount", how, word(state, target));
    return;
  }
  if ((flags & MS.REMOUNT) !== 0) {
    const bind = (flags & MS.BIND) !== 0 ? ["bind"] : [];
    return run(state, "mount -o", ["remount", ...bind, ...optionsOf(flags)].join(","), word(state, target));
  }
  if ((flags & MS.BIND) !== 0) return bind(state, textAt(call, 0), (flags & MS.REC) !== 0, call);
  const extra = allowed(state, textAt(call, 4));
  const options = [...optionsOf(flags), ...(extra === "" ? [] : [extra])].join(",");
  const words = [
    "mount -t",
    quote(textAt(call, 2)),
    ...(options === "" ? [] : ["-o", rooted(state, options)]),
  ];
  if (textAt(call, 2) === "overlay") keepUpper(state, extra);
  run(state, ...words, quote(textAt(call, 0)), word(state, target));
}

/** The directories that an overlay writes to belong to a container that need not be there any more. */
function keepUpper(state: State, options: string) {
  const found = options.split(/(?<!\\),/).filter((option) => /^(upper|work)dir=/.test(option));
  const paths = found.map((option) =>
    placeOf(state, option.slice(option.indexOf("=") + 1).replace(/\\(.)/g, "$1")),
  );
  const [upper, ...others] = paths.flatMap((place) =>
    place.on === "host" ? [beforeMounts(state, place.path)] : [],
  );
  if (upper === undefined) return;
  const all = [upper, ...others].map(quote).join(" ");
  state.prepare.push(
    "# what the container writes goes here; it is removed at the end if it was not there before",
    "made=",
    `[ -d ${quote(upper)} ] || { mkdir -p ${all}; made=yes; }`,
  );
  state.undo.unshift(`[ -z "$made" ] || { rm -rf ${all}; rmdir ${quote(dirname(upper))} 2>/dev/null || :; }`);
}

/** A path below a tree that was attached, as it is called where the tree is from. */
function beforeMounts({ attached }: State, path: string): string {
  const from = attached.get(dirname(path));
  return from === undefined ? path : join(from, basename(path));
}

/** The users' root may not name overlay's options about trusted attributes, not even to turn them off. */
function allowed(state: State, options: string): string {
  if (!state.prefix.includes("--user=")) return options;
  note(
    state,
    "NOT quite by hand: opaque directories of layers are marked in attributes that only the host's root reads",
  );
  return options
    .split(",")
    .filter((option) => !/^(redirect_dir|metacopy)=/.test(option))
    .join(",");
}

function bind(state: State, from: string, recursive: boolean, call: Call) {
  const source = placeOf(state, from);
  const words = ["mount", recursive ? "--rbind" : "--bind"];
  if (source.on !== "root")
    return run(state, ...words, word(state, source), word(state, placeOf(state, textAt(call, 1))));
  word(state, source);
  say(state, "from=$at");
  run(state, ...words, '"$from"', word(state, placeOf(state, textAt(call, 1))));
}

function openTree(state: State, call: Call) {
  const flags = numberAt(call, 2);
  if ((flags & OPEN_TREE.CLONE) === 0) throw noForm("open_tree without OPEN_TREE_CLONE");
  const of = slotAt(call, 0);
  const foreign = of !== undefined && state.slots.get(of)?.kind === "foreign";
  if (foreign && call.result !== undefined) return void state.slots.set(call.result, { kind: "foreign" });
  const terminal = of !== undefined && state.slots.get(of)?.kind === "terminal";
  const opened = of === undefined ? placeOf(state, textAt(call, 1)) : undefined;
  const source = terminal
    ? { on: "shell" as const, word: '"$(tty)"' }
    : (opened ?? placeIn(state, of ?? "", ""));
  const recursive = (flags & AT.RECURSIVE) !== 0;
  if (call.result !== undefined)
    state.slots.set(call.result, { kind: "tree", source, recursive, changes: [] });
}

function setAttributes(state: State, call: Call) {
  const slot = slotAt(call, 0) ?? "";
  const tree = state.slots.get(slot);
  if (tree?.kind === "foreign") return;
  if (tree?.kind !== "tree") throw noForm("mount_setattr of an attached mount");
  const attributes = dataAt(call, 3);
  const [set = 0n, clear = 0n, propagation = 0n] = words64(attributes);
  const recursive = (numberAt(call, 2) & AT.RECURSIVE) !== 0;
  const changes: Change[] = [...tree.changes];
  const kind = PROPAGATION.find(([bit]) => Number(propagation) === bit);
  if (propagation !== 0n) {
    if (kind === undefined) throw noForm(`propagation 0x${propagation.toString(16)}`);
    changes.push({ kind: "propagation", how: `--make-${recursive ? "r" : ""}${kind[1]}` });
  }
  if (Number(set) === MOUNT_ATTR.IDMAP) {
    const namespace = state.slots.get(state.stores.get(attributes) ?? "");
    if (namespace?.kind !== "file") throw noForm("an idmapped mount without a user namespace");
    changes.push({ kind: "idmap", namespace: word(state, namespace.place) });
  } else if (set !== 0n || clear !== 0n) {
    changes.push({ kind: "options", options: attributesOf(Number(set), Number(clear)), recursive });
  }
  state.slots.set(slot, { ...tree, changes });
}

function moveMount(state: State, call: Call) {
  const thing = state.slots.get(slotAt(call, 0) ?? "");
  const place = slotAt(call, 2);
  const target =
    place === undefined ? placeOf(state, textAt(call, 3)) : placeIn(state, place, textAt(call, 3));
  const follow =
    (numberAt(call, 4) & (MOVE_MOUNT.T_SYMLINKS | MOVE_MOUNT.T_EMPTY_PATH)) === 0 && target.on === "root"
      ? "nofollow"
      : "follow";
  if (thing?.kind === "fs") {
    const at = word(state, target, follow);
    run(state, "mount -t", quote(thing.type), ...optionWords(thing), quote(thing.source), at);
    if (thing.takesMode) say(state, "covered=");
    return;
  }
  if (thing?.kind === "foreign") return note(state, "NOT done by hand: it is in another mount namespace");
  if (thing?.kind !== "tree") throw noForm("move_mount of what is no mount");
  if (target.on === "host" && thing.source.on === "host") state.attached.set(target.path, thing.source.path);
  attach(state, thing, target, follow);
}

/** `mount --bind`, then what was asked of the tree before it was attached. */
function attach(state: State, tree: Tree, target: ReturnType<typeof placeOf>, follow: "follow" | "nofollow") {
  if (tree.source.on === "root") {
    word(state, tree.source);
    say(state, "from=$at");
  }
  const source = tree.source.on === "root" ? '"$from"' : word(state, tree.source);
  const at = word(state, target, follow);
  // The engine makes some of its files only when it starts the container.
  const may = tree.source.on === "host" && !tree.source.path.startsWith("/dev/") && state.prefix === "";
  const guard = may ? `[ ! -e ${source} ] || ` : "";
  const idmap = tree.changes.find((change) => change.kind === "idmap");
  const options = idmap === undefined ? [] : [`-o X-mount.idmap=${idmap.namespace}`];
  run(state, `${guard}mount`, tree.recursive ? "--rbind" : "--bind", ...options, source, at);
  for (const change of tree.changes) {
    if (change.kind === "propagation") run(state, `${guard}mount`, change.how, at);
    if (change.kind !== "options") continue;
    const words = ["remount", "bind", ...change.options].join(",");
    if (!change.recursive) run(state, `${guard}mount -o`, words, at);
    else
      run(
        state,
        `${guard}findmnt -Rlno TARGET ${at} | while read -r each; do`,
        "mount -o",
        words,
        '"$each"; done',
      );
  }
}

function optionWords({ options, takesMode }: FileSystem): readonly string[] {
  const plain = options.length === 0 ? "" : quote(options.join(","));
  // mount(8) has no word for "as the kernel does it", which is 1777.
  if (takesMode)
    return ["-o", plain === "" ? '"mode=${covered:-1777}"' : `${plain}"\${covered:+,mode=$covered}"`];
  return plain === "" ? [] : ["-o", plain];
}

/** Of the directory that it will cover. */
function takeMode(state: State, call: Call) {
  const tree = slotAt(call, 0) ?? "";
  const fs = state.slots.get(tree);
  const covered = state.slots.get("covered");
  if (fs?.kind !== "fs" || covered?.kind !== "file") throw noForm("fchmodat of what is no new file system");
  say(state, `covered=$(stat -c %a ${word(state, covered.place)})`);
  state.slots.set(tree, { ...fs, takesMode: true });
}

function fsopen(state: State, call: Call) {
  const fs: Thing = { kind: "fs", type: textAt(call, 0), source: "none", options: [] };
  if (call.result !== undefined) state.slots.set(call.result, fs);
}

function fsconfig(state: State, call: Call) {
  const slot = slotAt(call, 0) ?? "";
  const fs = state.slots.get(slot);
  if (fs?.kind !== "fs") throw noForm("fsconfig of what fsopen did not open");
  const what = numberAt(call, 1);
  if (what === FSCONFIG.CMD_CREATE) return;
  const key = textAt(call, 2);
  if (what === FSCONFIG.SET_FLAG) state.slots.set(slot, { ...fs, options: [...fs.options, key] });
  else if (what !== FSCONFIG.SET_STRING) throw noForm(`fsconfig command ${what}`);
  else if (key === "source") state.slots.set(slot, { ...fs, source: textAt(call, 3) });
  else state.slots.set(slot, { ...fs, options: [...fs.options, `${key}=${textAt(call, 3)}`] });
}

function fsmount(state: State, call: Call) {
  const fs = state.slots.get(slotAt(call, 0) ?? "");
  if (fs?.kind !== "fs" || call.result === undefined) throw noForm("fsmount of what fsopen did not open");
  state.slots.set(call.result, { ...fs, options: [...attributesOf(numberAt(call, 2), 0), ...fs.options] });
}

export const MOUNTS: Handlers = {
  mount,
  open_tree: openTree,
  mount_setattr: setAttributes,
  move_mount: moveMount,
  fsopen,
  fsconfig,
  fsmount,
  fchmodat: takeMode,
};

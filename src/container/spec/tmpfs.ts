import type { TmpfsOptions } from "../../wire/mount.ts";

/** What a tmpfs gets unless its options say otherwise. */
const DEFAULTS = ["noexec", "nosuid", "nodev", "rprivate"];

/** Flags that take each other back. */
const OPPOSITES: readonly (readonly string[])[] = [
  ["ro", "rw"],
  ["suid", "nosuid"],
  ["dev", "nodev"],
  ["exec", "noexec"],
  ["sync", "async"],
  ["dirsync"],
  ["mand", "nomand"],
  ["atime", "noatime"],
  ["diratime", "nodiratime"],
  ["relatime", "norelatime"],
  ["strictatime", "nostrictatime"],
  ["remount", "bind", "rbind"],
  ["private", "rprivate", "shared", "rshared", "slave", "rslave", "unbindable", "runbindable"],
];
/** Options of the file system that take a value (tmpfs(5)). */
const VALUES = ["size", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "mpol"];

/**
 * The mount options of a tmpfs: Docker's defaults with `words` over them; of two that contradict each other the later
 * one counts.
 * @returns a sentence for a word that is no option
 */
export function tmpfsOptions(words: readonly string[]): readonly string[] | { readonly wrong: string } {
  const kept: string[] = [];
  const seen = new Set<string>();
  for (const word of [...DEFAULTS, ...words.filter((one) => one !== "" && one !== "defaults")].reverse()) {
    const [key = ""] = word.split("=", 1);
    const valued = VALUES.includes(key) && key !== word;
    const group = valued ? [key] : OPPOSITES.find((flags) => flags.includes(word));
    if (group === undefined) return { wrong: `invalid tmpfs option ${JSON.stringify(key.slice(0, 80))}` };
    if (seen.has(group[0]!)) continue;
    seen.add(group[0]!);
    kept.unshift(word);
  }
  return kept;
}

/** The words for `TmpfsOptions` of `--mount type=tmpfs`. */
export function tmpfsWords(options: TmpfsOptions | null | undefined, readonly: boolean): readonly string[] {
  const { SizeBytes: size = 0, Mode: mode = 0, Options: more } = options ?? {};
  return [
    ...(readonly ? ["ro"] : []),
    ...(mode === 0 ? [] : [`mode=${mode.toString(8)}`]),
    ...(size === 0 ? [] : [`size=${shortSize(size)}`]),
    ...(more ?? []).map((option) => option.join("=")),
  ];
}

/** The kernel reads k, m and g. */
function shortSize(bytes: number): string {
  for (const [unit, size] of [
    ["g", 2 ** 30],
    ["m", 2 ** 20],
    ["k", 2 ** 10],
  ] as const) {
    if (bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return String(bytes);
}

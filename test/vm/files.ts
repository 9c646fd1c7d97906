import { spawnSync } from "node:child_process";
import { globSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Entry } from "./cpio.ts";

/** Files for a guest: its path → what is there. */
export type Files = ReadonlyMap<string, Entry>;

/** A text file. */
export const text = (content: string, mode = 0o644): Entry => ({
  kind: "file",
  bytes: Buffer.from(content),
  mode,
});

/** A file of this machine with its own mode; links are followed. */
export const host = (path: string): Entry => ({
  kind: "host",
  path: realpathSync(path),
  mode: statSync(path).mode & 0o7777,
});

/** Every file below `directory` of this machine that matches `pattern`, below `target` in the guest. */
export function tree(directory: string, target: string, pattern = "**/*"): Files {
  return new Map(
    globSync(pattern, { cwd: directory })
      .filter((name) => statSync(join(directory, name)).isFile())
      .map((name) => [join(target, name), host(join(directory, name))]),
  );
}

/** A program of this machine and the libraries `ldd` says it needs, each at its own path. */
export function withLibraries(program: string, target: string): Files {
  const listed = spawnSync("ldd", [program], { encoding: "utf8" }).stdout;
  const libraries = [...listed.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map((match) => match[1] ?? "");
  return new Map([[target, host(program)], ...libraries.map((path) => [path, host(path)] as const)]);
}

/** Several sets as one; later ones win. */
export const merged = (...sets: readonly Files[]): Files => new Map(sets.flatMap((set) => [...set]));

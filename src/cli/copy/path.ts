/** Whether a path says by its end that it is a directory: `a/`, `a/.`, `.`. */
export function saysDirectory(path: string): boolean {
  return /(^|\/)\.?$/.test(path) && path !== "";
}

/** `dir/.`: copy what is in the directory, not the directory. */
export function saysContents(path: string): boolean {
  return path === "." || path.endsWith("/.");
}

/** The directory and the last name of a path whose end may say "directory". */
export function splitLast(path: string): { readonly directory: string; readonly base: string } {
  const bare = path.replace(/(?:\/\.?)+$/, "") || "/";
  const at = bare.lastIndexOf("/");
  return {
    directory: at < 0 ? "." : bare.slice(0, at) || "/",
    base: bare === "/" ? "/" : bare.slice(at + 1),
  };
}

/** What a source is, and what its destination is now. */
export interface Ends {
  readonly source: { readonly path: string; readonly directory: boolean };
  readonly target: { readonly path: string; readonly exists: boolean; readonly directory: boolean };
}

/** Into which directory an archive goes, and what its first name becomes (empty: only its contents). */
export interface Placement {
  readonly directory: string;
  readonly name: string;
}

/**
 * Docker's rules of `cp` (docs of `docker cp`), which are those of `cp -r`: into a directory that exists, else as
 * the name given; `/.` means the contents.
 * @throws Error in the words of the rule that forbids it
 */
export function placement({ source, target }: Ends): Placement {
  const { base } = splitLast(source.path);
  const last = splitLast(target.path);
  if (target.exists && target.directory)
    return { directory: target.path, name: source.directory && saysContents(source.path) ? "" : base };
  if (target.exists) {
    if (source.directory) throw new Error("cannot copy directory");
    if (saysDirectory(target.path)) throw new Error("not a directory");
    return { directory: last.directory, name: last.base };
  }
  if (!source.directory && saysDirectory(target.path)) throw new Error("no such directory");
  return { directory: last.directory, name: last.base };
}

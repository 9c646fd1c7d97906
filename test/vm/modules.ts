import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

const canonical = (name: string): string => name.replaceAll("-", "_");

/**
 * The files of `wanted` kernel modules and of those they need, in loading order. A name without a file is built
 * into the kernel. What a module needs is in its own `.modinfo` section: `depmod`, which would list it, is run
 * when the package is installed, and here it is only unpacked.
 */
export function moduleFiles(directory: string, wanted: readonly string[]): string[] {
  const files = new Map(
    globSync("**/*.ko", { cwd: directory }).map((path) => [
      canonical(basename(path, ".ko")),
      join(directory, path),
    ]),
  );
  const ordered = new Set<string>();
  const visit = (name: string): void => {
    const file = files.get(canonical(name));
    if (file === undefined || ordered.has(file)) return;
    const needs = /\0depends=([^\0]*)\0/.exec(readFileSync(file, "latin1"))?.[1] ?? "";
    for (const need of needs.split(",")) visit(need);
    ordered.add(file);
  };
  for (const name of wanted) visit(name);
  return [...ordered];
}

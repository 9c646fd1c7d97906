import { exceptions, layers, runtimeFolder } from "./layers.ts";
import { type Finding, lineOf, type Source } from "./sources.ts";

const BUN = /\bBun\.\w|from "bun(?::\w+)?"|\bimport\("bun/;

/** Imports that point upwards, folders nobody has given a place, and Bun outside `src/host`. */
export function checkImports(sources: readonly Source[]): Finding[] {
  return sources.filter(({ path }) => path.startsWith("src/")).flatMap(checkSource);
}

function checkSource(source: Source): Finding[] {
  const { path } = source;
  const folder = folderOf(path);
  const allowed = layers[folder];
  if (!allowed) {
    return [{ path, line: 1, what: `folder src/${folder} has no line in tools/check/layers.ts` }];
  }
  const upwards = source.imports
    .filter((target) => {
      const to = folderOf(target);
      return to !== folder && !allowed.includes(to) && !exceptions[path]?.includes(to);
    })
    .map((target) => ({
      path,
      line: lineOf(source.text, source.text.indexOf(`/${target.split("/").at(-1)}"`)),
      what: `src/${folder} may not import ${target} (allowed: ${allowed.join(", ") || "nothing"})`,
    }));
  return [...upwards, ...checkRuntime(source, folder)];
}

function checkRuntime({ path, text }: Source, folder: string): Finding[] {
  if (folder === runtimeFolder) return [];
  return text.split("\n").flatMap((line, index) => {
    const code = line.replace(/^\s*(?:\*|\/\*).*|\/\/.*/, "");
    return BUN.test(code)
      ? [{ path, line: index + 1, what: `what only Bun has belongs in src/${runtimeFolder}` }]
      : [];
  });
}

/** `src/cli/run.ts` → `cli`; a file directly in `src/` is its own folder. */
function folderOf(path: string): string {
  return path.startsWith("src/") ? (path.split("/")[1] ?? "") : path;
}

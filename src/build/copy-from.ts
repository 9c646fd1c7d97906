import * as fs from "node:fs";
import { join, posix } from "node:path";
import { fsPath, readable, toByteText } from "../image/tar/entry.ts";
import { codeOf, Refusal } from "../oci/error.ts";
import { globExpression } from "../oci/glob.ts";
import type { MergedView } from "../storage/merged.ts";
import type { Building } from "./building.ts";
import type { Named } from "./copy.ts";
import { baseStage } from "./from.ts";

/**
 * `COPY --from`: the files of another stage or image that each of `sources` names, in a directory of its own, as if that
 * were a build context: what one brought in, links above all, is not in the way of another. Files are hard links where
 * they can be: nobody changes them.
 */
export function otherContexts(
  building: Building,
  from: string,
  sources: readonly string[],
): readonly Named[] {
  const stage = building.stages.get(from.toLowerCase());
  if (stage === undefined && /^-?\d+$/.test(from))
    throw new Refusal("invalid", `invalid from flag value ${from}: index out of bounds`);
  if (building.current.includes(from.toLowerCase()))
    throw new Refusal("invalid", `invalid from flag value ${from}: refers to current build stage`);
  const { chain } = stage ?? baseStage(building, from);
  const view = building.options.images.driver.view(chain);
  return sources.map((path) => {
    const context = fs.mkdtempSync(join(building.scratch, "from-"));
    for (const found of matching(view, path)) put(view, found, context);
    return { context, path };
  });
}

/** Paths that a source names in the view, none below another; patterns component by component. */
function matching(view: MergedView, source: string): readonly string[] {
  const parts = posix
    .normalize(`/${source}`)
    .split("/")
    .filter((part) => part !== "");
  let paths = [""];
  for (const part of parts) {
    const expression = /[*?[]/.test(part) ? globExpression(part) : undefined;
    paths = paths.flatMap((path) => {
      const at = (name: string): string => (path === "" ? name : `${path}/${name}`);
      if (expression === undefined) return [at(toByteText(part))];
      return view
        .names(view.resolve(path))
        .filter((name) => expression.test(readable(name as never)))
        .map(at);
    });
  }
  return paths;
}

/** Whatever the path leads to in the view, under the path as it was asked for. Nothing where nothing is. */
function put(view: MergedView, path: string, directory: string): void {
  const target = view.resolve(path);
  const base = toByteText(directory);
  if (target === "") {
    copyTree(view, "", base);
    return;
  }
  if (view.lookup(target) === undefined) return;
  fs.mkdirSync(fsPath(posix.dirname(`${base}/${path}`)), { recursive: true });
  copyTree(view, target, path === "" ? base : `${base}/${path}`);
}

function copyTree(view: MergedView, path: string, to: string): void {
  const entry = path === "" ? undefined : view.lookup(path);
  if (entry !== undefined && !entry.stat.isDirectory()) {
    link(entry.file, to);
    return;
  }
  fs.mkdirSync(fsPath(to), { recursive: true });
  if (entry !== undefined) fs.chmodSync(fsPath(to), entry.stat.mode & 0o7777);
  for (const name of view.names(path))
    copyTree(view, path === "" ? name : `${path}/${name}`, `${to}/${name}`);
}

function link(file: string, to: string): void {
  try {
    fs.linkSync(fsPath(file), fsPath(to));
  } catch (error) {
    // Two sources that name the same, or a file system of its own.
    if (codeOf(error) === "EEXIST") return;
    if (codeOf(error) !== "EXDEV") throw error;
    if (fs.lstatSync(fsPath(file)).isSymbolicLink())
      fs.symlinkSync(fs.readlinkSync(fsPath(file), { encoding: "buffer" }), fsPath(to));
    else fs.copyFileSync(fsPath(file), fsPath(to));
  }
}

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { once } from "../kernel/once.ts";
import { cgroupError, errnoOf } from "./error.ts";
import { directoryIn, type Hierarchy, type Layout } from "./layout.ts";

/** Where containers live unless their configuration names another parent. */
export const DEFAULT_PARENT = "/cais";

/** What is asked of a set of names. */
export type Names = Pick<ReadonlySet<string>, "has">;

/** A prepared parent of containers' cgroups. */
export interface Parent {
  readonly layout: Layout;
  /** Relative to each tree: "/cais". */
  readonly cgroup: string;
  /** Mount path of a tree → the files a cgroup below this parent has there: what the kernel can do. */
  readonly files: ReadonlyMap<string, Names>;
  /** What the parent may use, as "0-3,7"; absent without the cpuset controller. */
  readonly cpuset?: { readonly cpus: string; readonly mems: string };
}

/**
 * Make `cgroup` in every tree and ready for children. Idempotent; done at engine start and again when a
 * container names another parent. On v2 every controller is enabled from the mount down to the parent; on v1
 * the cpuset's cpus and mems are filled in, and copied to children by the kernel.
 */
export function prepareParent(layout: Layout, cgroup: string = DEFAULT_PARENT): Parent {
  const files = new Map<string, Names>();
  for (const tree of layout.hierarchies) {
    const directory = directoryIn(tree, cgroup);
    make(directory);
    if (tree.version === 2) enableControllers(tree, directory);
    else if (tree.controllers.includes("cpuset")) fillCpuset(tree, directory);
    files.set(tree.path, namesIn(directory));
  }
  const cpuset = readCpuset(layout, cgroup);
  return { layout, cgroup: join("/", cgroup), files, ...(cpuset === undefined ? {} : { cpuset }) };
}

/** Read when the first is asked for: most containers limit little. */
function namesIn(directory: string): Names {
  const names = once(() => new Set(readdirSync(directory)));
  return { has: (name) => names().has(name) };
}

function readCpuset(layout: Layout, cgroup: string): Parent["cpuset"] {
  const tree = layout.controllers.get("cpuset");
  if (tree === undefined) return undefined;
  const read = (name: "cpus" | "mems") => {
    const file = tree.version === 2 ? `cpuset.${name}.effective` : `cpuset.${name}`;
    return readFileSync(join(directoryIn(tree, cgroup), file), "utf8").trim();
  };
  return { cpus: read("cpus"), mems: read("mems") };
}

function make(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o755 });
  } catch (cause) {
    throw cgroupError("make the cgroup of all containers", directory, String(errnoOf(cause)), {
      cause,
      hint: "cais needs a writable cgroup file system: run it as root, or have the subtree delegated",
    });
  }
}

/** The directories from the mount of `tree` down to `directory`, both included. */
function pathDown(tree: Hierarchy, directory: string): string[] {
  const path: string[] = [];
  for (let at = directory; at.length >= tree.path.length; at = dirname(at)) path.unshift(at);
  return path;
}

function enableControllers(tree: Hierarchy, directory: string): void {
  for (const level of pathDown(tree, directory)) {
    const file = join(level, "cgroup.subtree_control");
    const enabled = new Set(readFileSync(file, "utf8").trim().split(" "));
    // "threaded" controllers of a threaded subtree apart, a child has what its parent enables.
    const available = readFileSync(join(level, "cgroup.controllers"), "utf8").trim().split(" ");
    const missing = available.filter((name) => name !== "" && !enabled.has(name));
    if (missing.length > 0) enable(level, file, missing);
  }
}

/**
 * All at once first: given one by one, the threaded controllers (cpu, pids) would be taken by a cgroup that has
 * processes, which then is a thread root and can never have the others.
 */
function enable(level: string, file: string, controllers: readonly string[]): void {
  const all = controllers.map((name) => `+${name}`);
  const refused = written(file, all.join(" "));
  if (refused === undefined) return;
  // "No internal processes": a cgroup other than the real root that has processes cannot give controllers
  // to children. That is so when the engine itself runs at the top of a delegated subtree (in a container).
  if (refused === "EBUSY") evacuate(level);
  // One that the kernel refuses (cpu with realtime processes about) must not cost the others.
  if (written(file, all.join(" ")) !== undefined) for (const each of all) written(file, each);
}

/** The error of writing `text`, by name; undefined when it was taken. */
function written(file: string, text: string): string | undefined {
  try {
    writeFileSync(file, text);
    return undefined;
  } catch (error) {
    return errnoOf(error) ?? String(error);
  }
}

/** Move every process of `level` to a leaf below it. */
function evacuate(level: string): void {
  const leaf = join(level, "cais-init");
  mkdirSync(leaf, { recursive: true });
  for (const pid of readFileSync(join(level, "cgroup.procs"), "utf8").split("\n")) {
    if (pid === "") continue;
    try {
      writeFileSync(join(leaf, "cgroup.procs"), pid);
    } catch (error) {
      // It has ended in the meantime.
      if (errnoOf(error) !== "ESRCH") throw error;
    }
  }
}

/** v1: a new cpuset is empty, and no task can enter it until it has cpus and mems. */
function fillCpuset(tree: Hierarchy, directory: string): void {
  const path = pathDown(tree, directory);
  for (const [index, level] of path.entries()) {
    const above = path[index - 1];
    if (above === undefined) continue;
    for (const name of ["cpuset.cpus", "cpuset.mems"]) {
      if (readFileSync(join(level, name), "utf8").trim() !== "") continue;
      writeFileSync(join(level, name), readFileSync(join(above, name), "utf8").trim());
    }
  }
  // From here on the kernel copies both to each new child: two reads and two writes less for every start.
  writeFileSync(join(directory, "cgroup.clone_children"), "1");
}

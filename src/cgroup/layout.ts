import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cgroupError } from "./error.ts";

/**
 * Where this machine keeps its cgroups. Read from the kernel's own tables, never assumed: hosts mount v2, v1
 * one controller at a time, v1 with several controllers together (`cpu,cpuacct`), or a mixture of both.
 */

/** One mounted cgroup tree. */
export interface Hierarchy {
  readonly version: 1 | 2;
  /** Where it is mounted; containers' directories are made below it. */
  readonly path: string;
  /** Which part of the tree the mount shows: "/" unless a container manager mounted a subtree. */
  readonly root: string;
  /** Its controllers; for v2 those it can give to children. Empty for a named hierarchy. */
  readonly controllers: readonly string[];
  /** `systemd` for `name=systemd`: a v1 tree without controllers. */
  readonly name?: string;
  /** The cgroup of this process in it, as `/proc/self/cgroup` tells it. */
  readonly own: string;
}

export interface Layout {
  /** "hybrid": a v2 tree is mounted, and v1 trees hold (some of) the controllers. */
  readonly mode: "v1" | "v2" | "hybrid";
  /** All trees, each once, v1 before v2, in mount order. */
  readonly hierarchies: readonly Hierarchy[];
  /** The tree of each controller ("cpu", "memory", …); v1 wins, as it does in the kernel. */
  readonly controllers: ReadonlyMap<string, Hierarchy>;
  /** The v2 tree, if one is mounted. */
  readonly unified?: Hierarchy;
}

/** What the layout is read from; each is the text of the file it is named after. */
export interface LayoutSource {
  /** `/proc/self/mountinfo` (proc(5)). */
  readonly mountinfo: string;
  /** `/proc/self/cgroup` (cgroups(7)). */
  readonly cgroup: string;
  /** `cgroup.controllers` of the v2 mount at `path`. */
  readonly unifiedControllers: (path: string) => string;
}

/** Mount options of a v1 tree that name no controller. */
const FLAGS = new Set(["rw", "ro", "xattr", "none", "clone_children", "noprefix", "all", "release_agent"]);

/** The layout of `source`. Throws when no cgroup tree is mounted at all. */
export function parseLayout(source: LayoutSource): Layout {
  const own = parseOwn(source.cgroup);
  const found: Hierarchy[] = [];
  for (const line of source.mountinfo.split("\n")) {
    const mount = parseMount(line);
    if (mount === undefined) continue;
    if (mount.type === "cgroup2") {
      const controllers = words(source.unifiedControllers(mount.path));
      found.push({ version: 2, path: mount.path, root: mount.root, controllers, own: own.get("") ?? "/" });
      continue;
    }
    const options = mount.options.filter((option) => !FLAGS.has(option.split("=")[0] ?? ""));
    const name = options.find((option) => option.startsWith("name="))?.slice("name=".length);
    const controllers = options.filter((option) => !option.startsWith("name="));
    const key = controllers[0] ?? `name=${name ?? ""}`;
    const base = { version: 1 as const, path: mount.path, root: mount.root, controllers };
    found.push({ ...base, own: own.get(key) ?? "/", ...(name === undefined ? {} : { name }) });
  }
  return arrange(found);
}

function arrange(found: readonly Hierarchy[]): Layout {
  const seen = new Set<string>();
  const hierarchies = found
    .toSorted((left, right) => left.version - right.version)
    .filter((tree) => {
      // The same tree is often mounted twice (`cpu` and `cpu,cpuacct` by systemd's links): the first one counts.
      const key = tree.version === 2 ? "v2" : tree.controllers.join() || `name=${tree.name}`;
      return !seen.has(key) && seen.add(key);
    });
  const controllers = new Map<string, Hierarchy>();
  for (const tree of hierarchies)
    for (const name of tree.controllers) if (!controllers.has(name)) controllers.set(name, tree);
  const unified = hierarchies.find((tree) => tree.version === 2);
  const legacy = hierarchies.some((tree) => tree.version === 1);
  if (unified === undefined && !legacy)
    throw cgroupError("read the cgroup layout", "/proc/self/mountinfo", "no cgroup file system is mounted", {
      hint: "mount one: mount -t cgroup2 none /sys/fs/cgroup",
    });
  const mode = unified === undefined ? "v1" : legacy ? "hybrid" : "v2";
  return { mode, hierarchies, controllers, ...(unified === undefined ? {} : { unified }) };
}

/** `controller or name=… → path`; the v2 entry has the key "". */
function parseOwn(text: string): Map<string, string> {
  const own = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match = /^\d+:([^:]*):(.*)$/.exec(line);
    if (match === null) continue;
    for (const key of (match[1] ?? "").split(",")) own.set(key, match[2] ?? "/");
  }
  return own;
}

function parseMount(line: string) {
  // 32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu
  const [head, tail] = line.split(" - ", 2);
  const [type, , options] = (tail ?? "").split(" ");
  const fields = (head ?? "").split(" ");
  if ((type !== "cgroup" && type !== "cgroup2") || options === undefined) return undefined;
  const [root, path] = [fields[3], fields[4]];
  if (root === undefined || path === undefined) return undefined;
  return { type, root: decodeOctal(root), path: decodeOctal(path), options: options.split(",") };
}

/** proc(5): space, tab, newline and backslash are written as three octal digits. */
const decodeOctal = (text: string) =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

const words = (text: string) => text.split(/\s+/).filter((word) => word !== "");

let cached: Layout | undefined;

/** The layout of this machine; read once, since mounts of cgroups do not move under a running engine. */
export function readLayout(): Layout {
  cached ??= parseLayout({
    mountinfo: readFileSync("/proc/self/mountinfo", "utf8"),
    cgroup: readFileSync("/proc/self/cgroup", "utf8"),
    unifiedControllers: (path) => readFileSync(join(path, "cgroup.controllers"), "utf8"),
  });
  return cached;
}

/** The directory of `cgroup` ("/cais/<id>") in `tree`. `..` in it cannot leave the tree. */
export function directoryIn(tree: Hierarchy, cgroup: string): string {
  return join(tree.path, join("/", cgroup));
}

/** The directory of `cgroup` in the tree that has `controller`, or undefined where no tree has it. */
export function controllerDirectory(layout: Layout, controller: string, cgroup: string): string | undefined {
  const tree = layout.controllers.get(controller);
  return tree === undefined ? undefined : directoryIn(tree, cgroup);
}

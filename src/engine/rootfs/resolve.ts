import { closeSync, readlinkSync, type Stats, statSync } from "node:fs";
import { openDirectory, openRoot, through } from "../../image/tar/beneath.ts";
import { statIn } from "../../image/tar/walk.ts";
import { invalid, notFound } from "../refuse.ts";

/** A path in a container's tree, found without ever leaving it. */
export interface Resolved {
  /** Descriptor of the directory it is in, or of the directory itself when it has no name here. */
  readonly directory: number;
  /** Its last component; empty for a directory that was entered: the root, a volume, what was asked as `x/.`. */
  readonly name: string;
  /** Absolute path in the container, free of links but for the last component. */
  readonly path: string;
  /** Undefined when nothing is there. */
  readonly stat: Stats | undefined;
  close(): void;
}

/** The kernel's own bound (path_resolution(7)). */
const MAX_LINKS = 40;

/**
 * Follows `path` as a process in the container would, one component at a time and each opened beneath the one
 * before: an absolute link leads to the container's root, never to the host's.
 * @param options `inside`: follow a link at the end too, and enter what is a directory; `enter`: another tree
 * that begins at a path (a volume of a container that does not run)
 * @throws Refusal (404) when a directory on the way is not there
 */
export function resolveIn(
  root: number,
  path: string,
  options: { readonly inside: boolean; readonly enter?: (path: string) => string | undefined },
): Resolved {
  const opened: { readonly fd: number; readonly name: string }[] = [];
  const close = (): void => {
    for (const { fd } of opened.splice(0)) closeSync(fd);
  };
  const pathOf = (name: string): string => `/${[...opened.map((one) => one.name), name].filter(Boolean).join("/")}`;
  const at = (): number => opened.at(-1)?.fd ?? root;
  const queue = path.split("/").filter((part) => part !== "" && part !== ".");
  let links = 0;
  try {
    for (let part = queue.shift(); part !== undefined; part = queue.shift()) {
      if (part === "..") {
        const last = opened.pop();
        if (last) closeSync(last.fd);
        continue;
      }
      if (part.includes("\0") || part.length > 255) throw invalid("bad parameter: path holds what no path can");
      const stat = statIn(at(), latin1(part));
      if (stat?.isSymbolicLink() && (queue.length > 0 || options.inside)) {
        if (++links > MAX_LINKS) throw invalid(`Cannot follow ${path}: too many links`);
        const target = readlinkSync(through(at(), latin1(part)));
        if (target.startsWith("/")) close();
        queue.unshift(...target.split("/").filter((one) => one !== "" && one !== "."));
        continue;
      }
      const other = options.enter?.(pathOf(part));
      if (queue.length === 0 && !(stat?.isDirectory() && (options.inside || other))) {
        return { directory: at(), name: latin1(part), path: pathOf(part), stat, close };
      }
      if (!stat) throw notFound(`Could not find the file ${path} in the container`);
      if (!stat.isDirectory()) throw invalid(`Cannot follow ${path}: ${pathOf(part)} is not a directory`);
      opened.push({ fd: other ? openRoot(other) : openDirectory(at(), latin1(part)), name: part });
    }
    return { directory: at(), name: "", path: pathOf(""), stat: statSync(through(at(), "")), close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Names are kept as bytes below here, one per character. */
const latin1 = (text: string): string => Buffer.from(text).toString("latin1");

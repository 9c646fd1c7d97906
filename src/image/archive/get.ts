import * as fs from "node:fs";
import type { Bytes } from "../../storage/driver.ts";
import type { RunPlan } from "../../storage/kernel.ts";
import type { PathStat } from "../../wire/lifecycle.ts";
import { openRoot, through } from "../tar/beneath.ts";
import type { ByteText } from "../tar/entry.ts";
import { type PackOptions, packTree } from "../tar/pack.ts";
import { partsOf } from "./resolve.ts";
import { type Located, locate, pathStat } from "./stat.ts";

/** `GET /containers/{id}/archive`: a path as a tar, with what the header says about it. */
export function getArchive(
  root: string,
  path: string,
  runPlan: RunPlan,
): { readonly stat: PathStat; readonly archive: Bytes; close(): void } {
  const rootFd = openRoot(root);
  try {
    const located = locate(rootFd, path);
    const stat = pathStat(rootFd, located, path);
    let open = true;
    const close = (): void => {
      if (open) fs.closeSync(located.parent);
      open = false;
    };
    const whole = located.name === ".";
    const packed = packTree(`/proc/self/fd/${located.parent}`, {
      runPlan,
      choose: withoutKernel(rootFd, located),
      ...(whole ? { prefix: prefixOf(path) } : { only: located.name, withoutRoot: true }),
    });
    return { stat, archive: closing(packed, close), close };
  } finally {
    fs.closeSync(rootFd);
  }
}

/** File systems whose files are the kernel's (f_type of statfs(2)): procfs, sysfs, cgroup, cgroup2, mqueue, devpts. */
const KERNEL = new Set([0x9fa0, 0x62656572, 0x27e0eb, 0x63677270, 0x19800202, 0x1cd1]);

/**
 * Leaves what is mounted on `/proc`, `/sys` and `/dev` of a running container out of trees, as Docker does: it is
 * endless, and none of it is the container's. What is asked for by its own name is there.
 */
function withoutKernel(root: number, { parent, parts }: Located): NonNullable<PackOptions["choose"]> {
  const own = fs.fstatSync(root).dev;
  const known = new Map<number, boolean>([[own, false]]);
  return (path, stat) => {
    if (!stat.isDirectory()) return "keep";
    if (stat.dev !== own && [...parts, path].join("/") === "dev") return "empty";
    let kernel = known.get(stat.dev);
    if (kernel === undefined) {
      kernel = KERNEL.has(fs.statfsSync(through(parent, path)).type);
      known.set(stat.dev, kernel);
    }
    return kernel ? "empty" : "keep";
  };
}

/** Names in the archive begin with the last component as it was asked for, as Docker's client expects. */
function prefixOf(path: string): string {
  const last = partsOf(path).at(-1);
  if (last === undefined) return "/";
  return last === "." || last === ".." ? "./" : `${last as ByteText}/`;
}

async function* closing(archive: Bytes, close: () => void): AsyncGenerator<Uint8Array> {
  try {
    yield* archive;
  } finally {
    close();
  }
}

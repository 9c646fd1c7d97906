import * as fs from "node:fs";
import type { Bytes } from "../../storage/driver.ts";
import type { RunPlan } from "../../storage/kernel.ts";
import type { PathStat } from "../../wire/lifecycle.ts";
import { openRoot } from "../tar/beneath.ts";
import type { ByteText } from "../tar/entry.ts";
import { packTree } from "../tar/pack.ts";
import { partsOf } from "./resolve.ts";
import { locate, pathStat } from "./stat.ts";

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
      ...(whole ? { prefix: prefixOf(path) } : { only: located.name, withoutRoot: true }),
    });
    return { stat, archive: closing(packed, close), close };
  } finally {
    fs.closeSync(rootFd);
  }
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

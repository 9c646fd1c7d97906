import type { ByteText } from "../image/tar/entry.ts";
import { packTree } from "../image/tar/pack.ts";
import { OPAQUE, WHITEOUT } from "../image/tar/whiteout.ts";
import type { Bytes } from "./driver.ts";
import type { RunPlan } from "./kernel.ts";
import type { MergedView } from "./merged.ts";
import { isMountpoint } from "./mountpoints.ts";

/** The overlay's mark of a directory that hides everything below it. */
export const OPAQUE_XATTR = "trusted.overlay.opaque";

/** An overlay's upper directory as a layer tar: its marks become OCI whiteouts. `hidden` are left out, so are mount points. */
export function packUpper(
  upper: string,
  below: MergedView,
  runPlan: RunPlan,
  hidden: ReadonlySet<string> = new Set(),
): Bytes {
  return packTree(upper, {
    runPlan,
    choose: (path, stat) => {
      const mountpoint = !stat.isDirectory() && isMountpoint(path, stat) && below.lookup(path) === undefined;
      return mountpoint || hidden.has(path) ? "omit" : "keep";
    },
    withoutRoot: true,
    wanted: (key) => key === OPAQUE_XATTR || !/^(trusted|user)\.overlay\./.test(key),
    extra: (path, xattrs) => (isOpaque(xattrs) ? [beside(path, OPAQUE)] : []),
    replace: (path, stat) => {
      if (!stat.isCharacterDevice() || stat.rdev !== 0) return undefined;
      const slash = path.lastIndexOf("/") + 1;
      return (path.slice(0, slash) + WHITEOUT + path.slice(slash)) as ByteText;
    },
  });
}

/** "y" says opaque; other values ("x") say something else (overlayfs.rst). */
export function isOpaque(xattrs: ReadonlyMap<string, Uint8Array> | undefined): boolean {
  const value = xattrs?.get(OPAQUE_XATTR);
  return value !== undefined && value.length === 1 && value[0] === 0x79;
}

function beside(directory: string, name: string): ByteText {
  return (directory === "" ? name : `${directory}/${name}`) as ByteText;
}

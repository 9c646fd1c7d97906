import { readFileSync } from "node:fs";

/** What is put at a path of the guest's root. */
export type Entry =
  | { readonly kind: "directory" }
  | { readonly kind: "link"; readonly target: string }
  | { readonly kind: "file"; readonly bytes: Uint8Array; readonly mode: number }
  /** A file of this machine, read when the archive is written. */
  | { readonly kind: "host"; readonly path: string; readonly mode: number };

const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;

/**
 * A cpio archive in the "newc" form, which is what the kernel unpacks as its first root
 * (Documentation/driver-api/early-userspace/buffer-format.rst). Missing parent directories are added. Archives
 * may be put one behind the other.
 */
export function cpio(entries: ReadonlyMap<string, Entry>): Uint8Array {
  const all = new Map<string, Entry>();
  for (const [path, entry] of entries) {
    const parts = path.replace(/^\/+/, "").split("/");
    for (let depth = 1; depth < parts.length; depth++) {
      const parent = parts.slice(0, depth).join("/");
      if (!all.has(parent)) all.set(parent, { kind: "directory" });
    }
    all.set(parts.join("/"), entry);
  }
  const chunks: Uint8Array[] = [];
  let inode = 1;
  for (const [name, entry] of all) chunks.push(...record(name, entry, inode++));
  chunks.push(...record("TRAILER!!!", { kind: "file", bytes: new Uint8Array(), mode: 0 }, 0));
  return Buffer.concat(chunks);
}

function record(name: string, entry: Entry, inode: number): Uint8Array[] {
  const [mode, body] = contents(entry);
  const path = Buffer.from(`${name}\0`);
  // ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check
  const fields = [inode, mode, 0, 0, 1, 0, body.length, 0, 0, 0, 0, path.length, 0];
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`);
  return [header, path, padding(header.length + path.length), body, padding(body.length)];
}

function contents(entry: Entry): [mode: number, body: Uint8Array] {
  switch (entry.kind) {
    case "directory":
      return [S_IFDIR | 0o755, new Uint8Array()];
    case "link":
      return [S_IFLNK | 0o777, Buffer.from(entry.target)];
    case "file":
      return [S_IFREG | entry.mode, entry.bytes];
    case "host":
      return [S_IFREG | entry.mode, readFileSync(entry.path)];
  }
}

const padding = (length: number): Uint8Array => new Uint8Array((4 - (length % 4)) % 4);

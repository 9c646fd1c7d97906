import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Images } from "../../src/image/images.ts";
import { createImages, type ImagesOptions } from "../../src/image/open.ts";
import { type ByteText, type EntryHeader, toByteText } from "../../src/image/tar/entry.ts";
import { encodeHeader, endOfArchive, PLAIN, padding } from "../../src/image/tar/write.ts";
import { runPlan } from "../../src/plan/run.ts";
import type { Bytes } from "../../src/storage/driver.ts";

/** A directory for one test, gone with it. */
export function scratch(): { readonly path: string; [Symbol.dispose](): void } {
  const path = fs.mkdtempSync(join(tmpdir(), "cais-image-"));
  return { path, [Symbol.dispose]: () => removeTree(path) };
}

/** `rmSync` with `force` ends early, without a word, when something else removes a file in the tree meanwhile. */
function removeTree(path: string): void {
  for (let tries = 0; tries < 20 && fs.existsSync(path); tries++) {
    fs.rmSync(path, { recursive: true, force: true });
  }
}

/** Images in a root of their own; the built-in image hides that root. */
export async function imagesIn(path: string, options: Partial<ImagesOptions> = {}): Promise<Images> {
  return await createImages({ root: join(path, "root"), runPlan, ...options });
}

/** An entry as a test writes it. */
export type Made = Partial<Omit<EntryHeader, "name" | "link">> & {
  readonly name: string;
  readonly link?: string;
  readonly data?: string;
};

/** A tar of exactly these entries, whatever they say. */
export function tarOf(...entries: readonly Made[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const { name, link = "", data = "", ...rest } of entries) {
    const bytes = Buffer.from(data);
    parts.push(
      encodeHeader({
        ...PLAIN,
        size: bytes.length,
        mtime: 1_700_000_000,
        ...rest,
        name: toByteText(name),
        link: toByteText(link) as ByteText,
      }),
      bytes,
      padding(bytes.length),
    );
  }
  return Buffer.concat([...parts, endOfArchive()]);
}

/** Bytes as a stream, in pieces that fall across every boundary. */
export async function* streamOf(bytes: Uint8Array, piece = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece);
}

/** All of a stream. */
export async function bytesOf(stream: Bytes): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part.slice());
  return Buffer.concat(parts);
}

/** Every path below a directory, sorted, with what `ls` would say of it. */
export function treeOf(directory: string): string[] {
  const lines: string[] = [];
  const visit = (path: string): void => {
    for (const name of fs.readdirSync(join(directory, path)).sort()) {
      const inside = join(path, name);
      const stat = fs.lstatSync(join(directory, inside));
      lines.push(`${inside} ${stat.mode.toString(8)}`);
      if (stat.isDirectory()) visit(inside);
    }
  };
  visit("");
  return lines;
}

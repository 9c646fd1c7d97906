import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { dirname } from "node:path";
import { codeOf } from "../oci/error.ts";
import type { Json } from "../oci/json.ts";

/** Larger than any document of ours. */
const DOCUMENT_MAX = 16 * 1024 * 1024;

/**
 * Writes a JSON document so that a crash leaves either the old or the new one: to a temporary name, then renamed.
 * With `sync` it is on the disk, its name included, when this returns. The document carries its own digest.
 */
export function writeDocument(path: string, value: unknown, options: { readonly sync: boolean }): void {
  const body = JSON.stringify(value);
  const temporary = `${path}${TEMPORARY}`;
  const file = fs.openSync(temporary, "w", 0o600);
  try {
    fs.writeSync(file, `{"sha256":"${sum(body)}","document":${body}}\n`);
    if (options.sync) fs.fsyncSync(file);
  } finally {
    fs.closeSync(file);
  }
  fs.renameSync(temporary, path);
  if (options.sync) syncDirectory(dirname(path));
}

/** Ends the name of a document that is being written; start-up removes such files. */
export const TEMPORARY = ".tmp";

/** A document that is there but not whole: a power cut, or somebody else's hand. */
export class DamagedDocument extends Error {
  override readonly name = "DamagedDocument";
}

/** Reads a document; undefined when there is none. Throws `DamagedDocument` for one that is not as it was written. */
export function readDocument(path: string): Json | undefined {
  let text: string;
  try {
    if (fs.statSync(path).size > DOCUMENT_MAX)
      throw new DamagedDocument(`Cannot use ${path}: it is too large`);
    text = fs.readFileSync(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
  const match = /^\{"sha256":"([0-9a-f]{64})","document":/.exec(text);
  const body = match === null ? "" : text.slice(match[0].length, -2);
  if (match === null || !text.endsWith("}\n") || sum(body) !== match[1]) {
    throw new DamagedDocument(`Cannot use ${path}: the document is damaged`);
  }
  return JSON.parse(body) as Json;
}

/** Removes a document for good. */
export function removeDocument(path: string): void {
  fs.rmSync(path, { force: true });
  syncDirectory(dirname(path));
}

/** Makes what happened to the names in a directory last. */
export function syncDirectory(path: string): void {
  const directory = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  try {
    fs.fsyncSync(directory);
  } finally {
    fs.closeSync(directory);
  }
}

function sum(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

import { createHash, type Hash } from "node:crypto";

/** A content digest: `sha256:` and 64 hexadecimal digits (OCI image spec, descriptor.md, "Digests"). */
export type Digest = string & { readonly __brand: "Digest" };
/** 64 hexadecimal digits: a container, image (without its `sha256:`) or layer id. */
export type Id = string & { readonly __brand: "Id" };
/** Digest of a layer's uncompressed tar. */
export type DiffId = Digest & { readonly __layer: "diff" };
/** Digest that names a layer together with all layers below it (OCI image spec, config.md, "Layer ChainID"). */
export type ChainId = Digest & { readonly __layer: "chain" };

const DIGEST = /^sha256:[0-9a-f]{64}$/;
const ID = /^[0-9a-f]{64}$/;

/** Whether `text` is a sha256 digest; no other algorithm is accepted. */
export function isDigest(text: unknown): text is Digest {
  return typeof text === "string" && DIGEST.test(text);
}

/** Whether `text` is a full id. */
export function isId(text: unknown): text is Id {
  return typeof text === "string" && ID.test(text);
}

/** The 64 hexadecimal digits of a digest. */
export function hexOf(digest: Digest): Id {
  return digest.slice("sha256:".length) as Id;
}

/** The digest that 64 hexadecimal digits stand for. */
export function digestOfHex(hex: Id): Digest {
  return `sha256:${hex}` as Digest;
}

/** The digest of bytes at hand. */
export function digestOf(bytes: Uint8Array | string): Digest {
  return finishDigest(createHash("sha256").update(bytes));
}

/** Ends a running sha256. */
export function finishDigest(hash: Hash): Digest {
  return `sha256:${hash.digest("hex")}` as Digest;
}

/** ChainID of `diff` on top of `parent`. */
export function chainOf(parent: ChainId | undefined, diff: DiffId): ChainId {
  return (parent === undefined ? diff : digestOf(`${parent} ${diff}`)) as Digest as ChainId;
}

/** ChainIDs of a list of layers, lowest first; the last one names the whole root file system. */
export function chainsOf(diffs: readonly DiffId[]): ChainId[] {
  const chains: ChainId[] = [];
  for (const diff of diffs) chains.push(chainOf(chains.at(-1), diff));
  return chains;
}

/** An id as people see it: its first 12 digits. */
export function shortId(id: string): string {
  return (id.startsWith("sha256:") ? id.slice("sha256:".length) : id).slice(0, 12);
}

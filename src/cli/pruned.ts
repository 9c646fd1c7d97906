import type { ImageDeleted } from "../wire/image.ts";
import { humanSize } from "./format/human.ts";

/** What a prune removed, and the space it gave back. */
export function prunedText(title: string, names: readonly string[] | null, bytes: number): string {
  const told = names?.length ? `${title}\n${names.join("\n")}\n\n` : "";
  return `${told}Total reclaimed space: ${humanSize(bytes, 4)}\n`;
}

/** Removed and untagged images, one a line, as prunes tell them. */
export function imageLines(done: readonly ImageDeleted[] | null): readonly string[] {
  return (done ?? []).map((it) => (it.Untagged ? `untagged: ${it.Untagged}` : `deleted: ${it.Deleted}`));
}

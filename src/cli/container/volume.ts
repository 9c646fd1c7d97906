import { path } from "../../host/builtin.ts";
import { caller } from "../caller/caller.ts";
import { Failure } from "../failure.ts";

/**
 * The words of `-v`, as a create takes them: what has a source, and the places of anonymous volumes. The same word
 * twice counts once.
 * @throws Failure 125 with Docker's sentences for a word that is none
 */
export function volumes(words: readonly string[]): {
  readonly binds: readonly string[];
  readonly anonymous: readonly string[];
} {
  const all = [...new Set(words)];
  all.forEach(check);
  const binds = all.filter((text) => text.includes(":")).map(bind);
  return { binds, anonymous: all.filter((text) => !text.includes(":")) };
}

function check(text: string): void {
  if (text === "") throw new Failure("invalid empty volume spec", 125);
  const sections = text.split(":");
  if (sections.includes("")) throw new Failure(`invalid spec: ${text}: empty section between colons`, 125);
  if (sections.length > 3) throw new Failure(`invalid spec: ${text}: too many colons`, 125);
}

/** `-v ./here:/there`: a relative source is this process's to resolve; a bare word is a volume's name. */
function bind(text: string): string {
  const [source = "", ...rest] = text.split(":");
  return /^\.{1,2}(?:\/|$)/.test(source)
    ? [path().resolve(caller().directory(), source), ...rest].join(":")
    : text;
}

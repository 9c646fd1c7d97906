import type { Finding, Source } from "./sources.ts";

const LONGEST = 400;

/** A file past 400 lines is about more than one thing. Tables of the kernel's numbers are about one. */
export function checkLengths(sources: readonly Source[]): Finding[] {
  return sources
    .filter(({ path }) => !path.startsWith("src/kernel/syscalls/"))
    .flatMap(({ path, text }) => {
      const lines = text.split("\n").length - 1;
      return lines > LONGEST
        ? [{ path, line: LONGEST, what: `has ${lines} lines, more than ${LONGEST}` }]
        : [];
    });
}

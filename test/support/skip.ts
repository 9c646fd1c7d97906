import { spawnSync } from "node:child_process";
import { appendFileSync } from "node:fs";

/**
 * Options for `test()`: skips it for the first of `reasons` that is there. The runner prints every reason;
 * each of the functions below returns one, or undefined when the machine has what is asked.
 *
 *     test("…", needs(root(), program("nft", "nftables")), () => { … });
 */
export function needs(...reasons: readonly (string | undefined)[]): { skip?: string } {
  const skip = reasons.find((reason) => reason !== undefined);
  if (skip === undefined) return {};
  record(skip);
  return { skip };
}

/** Most of what cais does needs root. */
export function root(): string | undefined {
  return process.geteuid?.() === 0 ? undefined : "not root";
}

/** A program on PATH, and the Debian package that has it. */
export function program(name: string, debianPackage = name): string | undefined {
  const found = spawnSync("sh", ["-c", 'command -v "$1"', "sh", name]).status === 0;
  return found ? undefined : `${name} is not there (Debian: ${debianPackage})`;
}

/** bun's reports have no place for the reason of a skip: it goes to the runner by a file of its own. */
function record(reason: string): void {
  const file = process.env.CAIS_TEST_SKIPS;
  if (file === undefined) return;
  const caller = new Error().stack?.split("\n").find((line) => line.includes(".test.ts:"));
  const line = Number(/\.test\.ts:(\d+)/.exec(caller ?? "")?.[1] ?? 0);
  appendFileSync(file, `${JSON.stringify({ line, reason })}\n`);
}

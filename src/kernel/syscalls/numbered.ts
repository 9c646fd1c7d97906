import { once } from "../once.ts";

/**
 * A table of system calls from lines of a number and the names that have it and the numbers after it:
 * `0 restart_syscall exit fork`. Made when it is first asked for: most starts have no policy for it.
 */
export const numbered = (lines: string): (() => Readonly<Record<string, number>>) => once(() => table(lines));

function table(lines: string): Readonly<Record<string, number>> {
  const table: Record<string, number> = {};
  for (const line of lines.trim().split("\n")) {
    const [first, ...names] = line.trim().split(" ");
    names.forEach((name, offset) => {
      table[name] = Number(first) + offset;
    });
  }
  return table;
}

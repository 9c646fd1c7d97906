/**
 * A table of system calls from lines of a number and the names that have it and the numbers after it:
 * `0 restart_syscall exit fork`.
 */
export function numbered(lines: string): Readonly<Record<string, number>> {
  const table: Record<string, number> = {};
  for (const line of lines.trim().split("\n")) {
    const [first, ...names] = line.trim().split(" ");
    names.forEach((name, offset) => {
      table[name] = Number(first) + offset;
    });
  }
  return table;
}

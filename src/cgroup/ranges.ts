/** Lists of numbers as the kernel writes them: "0-3,7". */

/** The numbers of `list`; undefined when it is not such a list. Bounded: no machine has more than 8192. */
export function parseList(list: string): Set<number> | undefined {
  const numbers = new Set<number>();
  for (const part of list.trim().split(",")) {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part.trim());
    if (match === null) return undefined;
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (last < first || last > 8192) return undefined;
    for (let each = first; each <= last; each++) numbers.add(each);
  }
  return numbers;
}

/** Why `asked` cannot be had of `available`, as the end of a sentence; undefined when it can. */
export function missingNumbers(asked: string, available: string): string | undefined {
  const wanted = parseList(asked);
  if (wanted === undefined) return "is not a list like 0-3,7";
  const have = parseList(available) ?? new Set();
  return [...wanted].every((each) => have.has(each)) ? undefined : "is not all available";
}

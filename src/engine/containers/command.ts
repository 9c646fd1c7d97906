/** The command as lists show it: Docker puts words that a shell would split, or that are long, into quotes. */
export const commandText = (path: string, args: readonly string[]): string =>
  args.length === 0
    ? path
    : `${path} ${args.map((word) => (/\s/.test(word) ? `'${word}'` : word)).join(" ")}`;

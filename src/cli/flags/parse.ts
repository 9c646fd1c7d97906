import type { Flag, Flags, Values } from "./flag.ts";

/** What a command line said. `help` wins over everything else. */
export interface Parsed<F extends Flags> {
  readonly values: Values<F>;
  /** Names of the flags that were given. */
  readonly given: ReadonlySet<string>;
  readonly args: readonly string[];
  readonly help: boolean;
}

/** A command line that cannot be read; the message is complete. */
export class UsageError extends Error {}

/**
 * Reads a command line as Docker does: `-it`, `-e X`, `-eX`, `--name x`, `--name=x`, `--rm=false`, `--`.
 * With `stopAtFirst` everything from the first argument on belongs to the container.
 * @throws UsageError
 */
export function parseFlags<F extends Flags>(
  flags: F,
  argv: readonly string[],
  stopAtFirst: boolean,
): Parsed<F> {
  const values: Record<string, unknown> = {};
  for (const name in flags) values[name] = flags[name]?.initial;
  const given = new Set<string>();
  const args: string[] = [];
  let help = false;
  let at = 0;

  const take = (name: string, flag: Flag<unknown>, text: string) => {
    try {
      values[name] = flag.read(text, values[name]);
    } catch (error) {
      const told = `${flag.short ? `-${flag.short}, ` : ""}--${name}`;
      throw new UsageError(
        `invalid argument ${JSON.stringify(text)} for "${told}" flag: ${(error as Error).message}`,
      );
    }
    given.add(name);
  };

  const long = (word: string) => {
    const equals = word.indexOf("=");
    const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
    const flag = Object.hasOwn(flags, name) ? flags[name] : undefined;
    if (!flag) {
      if (name !== "help") throw new UsageError(`unknown flag: --${name}`);
      help = true;
    } else if (equals >= 0) take(name, flag, word.slice(equals + 1));
    else if (flag.bare !== undefined) take(name, flag, flag.bare);
    else {
      const next = argv[at++];
      if (next === undefined) throw new UsageError(`flag needs an argument: --${name}`);
      take(name, flag, next);
    }
  };

  const short = (word: string) => {
    for (let i = 1; i < word.length; i++) {
      const letter = word[i];
      const name = Object.keys(flags).find((key) => flags[key]?.short === letter);
      const flag = name === undefined ? undefined : flags[name];
      if (name === undefined || !flag) {
        if (letter !== "h") throw new UsageError(`unknown shorthand flag: '${letter}' in ${word}`);
        help = true;
        continue;
      }
      const rest = word.slice(i + 1);
      if (rest.startsWith("=")) return take(name, flag, rest.slice(1));
      if (flag.bare !== undefined) {
        take(name, flag, flag.bare);
        continue;
      }
      if (rest !== "") return take(name, flag, rest);
      const next = argv[at++];
      if (next === undefined) throw new UsageError(`flag needs an argument: '${letter}' in ${word}`);
      return take(name, flag, next);
    }
  };

  while (at < argv.length) {
    const word = argv[at++] as string;
    if (word === "--") {
      args.push(...argv.slice(at));
      break;
    }
    if (word.startsWith("--")) long(word);
    else if (word.startsWith("-") && word.length > 1) short(word);
    else {
      args.push(word);
      if (stopAtFirst) {
        args.push(...argv.slice(at));
        break;
      }
    }
  }
  return { values: values as Values<F>, given, args, help };
}

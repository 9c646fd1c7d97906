import { RuntimeError } from "./failure.ts";

/** A flag: whether it takes a value, its one-letter form, whether it may come again. */
export interface Flag {
  readonly short?: string;
  readonly value?: true;
}

export type Flags = Readonly<Record<string, Flag>>;

/** What a command line said. Flags without a value are there with an empty text. */
export interface Arguments {
  readonly args: readonly string[];
  has(name: string): boolean;
  /** The last value that was given. */
  get(name: string): string | undefined;
  all(name: string): readonly string[];
}

/**
 * Read flags as programs in Go do, which is how callers write them: `--name value`, `--name=value`, one dash or two;
 * `--flag=false` takes a flag back. They end at the first word that is none, or with `last` there may be more of them
 * anywhere before a `--`, as runc has it: what is no flag of the command's is an argument then.
 */
export function readArguments(flags: Flags, argv: readonly string[], last = false): Arguments {
  const values = new Map<string, string[]>();
  const args: string[] = [];
  let at = 0;
  for (; at < argv.length; at++) {
    const word = argv[at] ?? "";
    if (word === "--") {
      at++;
      break;
    }
    const isWord = !word.startsWith("-") || word === "-";
    if (isWord && !last) break;
    const [written = "", given] = split(word.replace(/^--?/, ""));
    const name = nameOf(flags, written);
    const flag = flags[name];
    if (isWord || (flag === undefined && args.length > 0)) {
      args.push(word);
      continue;
    }
    if (flag === undefined) throw new RuntimeError(`flag provided but not defined: -${written}`);
    if (flag.value === undefined) {
      if (given === "false" || given === "0") values.delete(name);
      else values.set(name, [""]);
      continue;
    }
    const value = given ?? argv[++at];
    if (value === undefined) throw new RuntimeError(`flag needs an argument: -${written}`);
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  return {
    args: [...args, ...argv.slice(at)],
    has: (name) => values.has(name),
    get: (name) => values.get(name)?.at(-1),
    all: (name) => values.get(name) ?? [],
  };
}

function split(word: string): readonly [string, string | undefined] {
  const equals = word.indexOf("=");
  return equals < 0 ? [word, undefined] : [word.slice(0, equals), word.slice(equals + 1)];
}

function nameOf(flags: Flags, written: string): string {
  if (Object.hasOwn(flags, written)) return written;
  return Object.keys(flags).find((name) => flags[name]?.short === written) ?? "";
}

/** A flag's value as a whole number. */
export function numberOf(given: Arguments, name: string): number | undefined {
  const text = given.get(name);
  if (text === undefined || text === "") return undefined;
  if (!/^-?\d{1,19}$/.test(text))
    throw new RuntimeError(`Cannot use --${name} ${text}: it must be a whole number`);
  return Number(text);
}

/** Exactly these arguments, or the refusal that runc gives. */
export function exactly(given: Arguments, count: number, command: string): readonly string[] {
  if (given.args.length !== count)
    throw new RuntimeError(`cais-runtime: "${command}" requires exactly ${count} argument(s)`);
  return given.args;
}

/** At least these many. */
export function atLeast(given: Arguments, count: number, command: string): readonly string[] {
  if (given.args.length < count)
    throw new RuntimeError(`cais-runtime: "${command}" requires a minimum of ${count} argument(s)`);
  return given.args;
}

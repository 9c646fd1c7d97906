/** One option of a command: how it is written, told in `--help`, and read. */
export interface Flag<T> {
  /** One letter: `-d`. */
  readonly short?: string;
  /** The word after the name in `--help`; empty for switches. */
  readonly type: string;
  readonly help: string;
  readonly initial: T;
  /** What `--help` shows as the default; absent where there is none worth telling. */
  readonly shown?: string;
  /** What `--name` without a value means. Flags without it need a value. */
  readonly bare?: string;
  /**
   * The value after one more occurrence.
   * @throws Error whose message says what is wrong with `text`, as Docker says it.
   */
  read(text: string, before: T): T;
}

export type Flags = Readonly<Record<string, Flag<unknown>>>;

export type Values<F extends Flags> = {
  readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never;
};

type Extra<T> = Partial<Pick<Flag<T>, "short" | "shown" | "type">>;

const truths: Readonly<Record<string, boolean>> = {
  "1": true,
  t: true,
  T: true,
  true: true,
  TRUE: true,
  True: true,
  "0": false,
  f: false,
  F: false,
  false: false,
  FALSE: false,
  False: false,
};

/** A switch: `--rm`, `--rm=false`. */
export function bool(
  help: string,
  extra: Extra<boolean> & { readonly initial?: boolean } = {},
): Flag<boolean> {
  return {
    type: "",
    help,
    initial: false,
    bare: "true",
    ...(extra.initial ? { shown: "true" } : {}),
    ...extra,
    read(text) {
      const value = truths[text];
      if (value === undefined)
        throw new Error(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
      return value;
    },
  };
}

/** The last occurrence counts; absent is undefined. */
export function text(help: string, extra: Extra<string | undefined> = {}): Flag<string | undefined> {
  return { type: "string", help, initial: undefined, ...extra, read: (value) => value };
}

/** Every occurrence counts, in order. */
export function list(help: string, extra: Extra<readonly string[]> = {}): Flag<readonly string[]> {
  return { type: "list", help, initial: [], ...extra, read: (value, before) => [...before, value] };
}

/** A flag whose text `parse` turns into a value. */
export function parsed<T>(
  type: string,
  help: string,
  parse: (text: string) => T,
  extra: Extra<T | undefined> = {},
): Flag<T | undefined> {
  return { type, help, initial: undefined, ...extra, read: (value) => parse(value) };
}

/** Every occurrence is parsed. */
export function parsedList<T>(
  type: string,
  help: string,
  parse: (text: string) => T,
  extra: Extra<readonly T[]> = {},
): Flag<readonly T[]> {
  return { type, help, initial: [], ...extra, read: (value, before) => [...before, parse(value)] };
}

/** A whole number, decimal or with Go's prefixes 0x, 0o, 0b. */
export function int(help: string, extra: Extra<number | undefined> = {}): Flag<number | undefined> {
  return parsed("int", help, wholeNumber, extra);
}

function wholeNumber(text: string): number {
  const quoted = JSON.stringify(text);
  if (!/^[+-]?(0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|[1-9][0-9]*|0)$/.test(text))
    throw new Error(`strconv.ParseInt: parsing ${quoted}: invalid syntax`);
  const digits = text.replace(/^[+-]/, "").replace(/^0(?=[0-7])/, "0o");
  const value = text.startsWith("-") ? -Number(digits) : Number(digits);
  if (!Number.isSafeInteger(value))
    throw new Error(`strconv.ParseInt: parsing ${quoted}: value out of range`);
  return value;
}

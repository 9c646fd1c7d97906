import { CALL_HEAD, CALL_LIMIT } from "../../wire/front.ts";

/** A command line and where it was typed. */
export interface Call {
  /** Without the program's name. */
  readonly argv: readonly string[];
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** Bytes as they arrive, taken in the pieces that are asked for. */
export interface Input {
  /** Exactly so many bytes; null when the other side ends before. */
  take(count: number): Promise<Buffer | null>;
}

/** Takes a stream of chunks apart. */
export function inputOf(chunks: AsyncGenerator<Buffer, void>): Input {
  let rest = Buffer.alloc(0);
  return {
    async take(count) {
      while (rest.length < count) {
        const next = await chunks.next();
        if (next.done) return null;
        // The chunk is the connection's own memory, and gone with the next one.
        rest = Buffer.concat([rest, next.value]);
      }
      const taken = rest.subarray(0, count);
      rest = rest.subarray(count);
      return taken;
    },
  };
}

/** What a front says first (`wire/front.ts`); null when it is not what a front says. */
export async function readCall(input: Input): Promise<Call | null> {
  const head = await input.take(CALL_HEAD.size);
  if (head === null) return null;
  const [words, directory, strings] = [CALL_HEAD.words, CALL_HEAD.directory, CALL_HEAD.strings].map((at) =>
    Number(head.readBigUInt64LE(at)),
  ) as [number, number, number];
  if (directory < 1 || strings < 1 || directory + strings > CALL_LIMIT + 4096) return null;
  const text = await input.take(directory + strings);
  if (text === null) return null;
  const all = text.toString("utf8", directory).split("\0");
  // Behind the last variable's NUL there is nothing.
  const variables = all.slice(words, -1);
  if (words < 1 || all.length <= words) return null;
  return {
    argv: all.slice(1, words),
    directory: text.toString("utf8", 0, directory - 1),
    environment: environmentOf(variables),
  };
}

/** The first of several variables of one name counts, as of getenv(3). */
function environmentOf(variables: readonly string[]): Record<string, string> {
  const environment: Record<string, string> = Object.create(null);
  for (const variable of variables) {
    const equals = variable.indexOf("=");
    const name = variable.slice(0, equals);
    if (equals > 0 && !(name in environment)) environment[name] = variable.slice(equals + 1);
  }
  return environment;
}

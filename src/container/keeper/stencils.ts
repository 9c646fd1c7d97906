import type { Program } from "../../plan/compile.ts";
import { TOKEN_SIZE } from "../../plan/records.ts";

/**
 * Two starts of one kind differ in their id and token only, and those have one length. So a program is compiled
 * for an id and a token that stand for any, and what differs is written over: a twentieth of the work.
 */
export interface Stencils {
  /**
   * The program for `id` and `token`. `shape` is everything that it is made from, as text; `build` compiles it
   * from the same text with `id` and `token` replaced, and is called when no program of that shape is kept.
   */
  program(
    shape: string,
    id: string,
    token: Uint8Array,
    build: (shape: string, id: string, token: Uint8Array) => Program,
  ): Program;
}

/** Text and bytes that nothing else in a program has: from a random source, once. */
const ANY_ID = "e39c1f84a70b5d62c8ef13905a4bd7268c3f60e51b92a4d7f8056ec39ab174d2";
const ANY_TOKEN = Buffer.from("9b51e6c2fd08437aa4d3175ec860b29f", "hex");
/** A short id, as host names have it: the beginning of the whole. */
const SHORT = 12;

interface Stencil {
  readonly program: Program;
  readonly ids: readonly { readonly at: number; readonly length: number }[];
  readonly tokens: readonly number[];
}

/** Keep the programs of the last `limit` shapes. */
export function createStencils(limit: number): Stencils {
  const known = new Map<string, Stencil>();
  return {
    program(shape, id, token, build) {
      // An id of another length, as other runtimes' callers have them, has no stencil.
      if (id.length !== ANY_ID.length) return build(shape, id, token);
      const key = shape.replaceAll(id, ANY_ID).replaceAll(id.slice(0, SHORT), ANY_ID.slice(0, SHORT));
      let stencil = known.get(key);
      if (stencil === undefined) {
        stencil = stencilOf(build(key, ANY_ID, ANY_TOKEN));
        for (const oldest of known.keys()) {
          if (known.size < limit) break;
          known.delete(oldest);
        }
      } else known.delete(key);
      // The one used last goes to the end.
      known.set(key, stencil);
      return { ...stencil.program, elf: filledIn(stencil, id, token) };
    },
  };
}

function stencilOf(program: Program): Stencil {
  const bytes = Buffer.from(program.elf.buffer, program.elf.byteOffset, program.elf.length);
  return {
    program,
    ids: places(bytes, Buffer.from(ANY_ID.slice(0, SHORT))).map((at) => ({
      at,
      length: matching(bytes, at),
    })),
    tokens: places(bytes, ANY_TOKEN),
  };
}

function places(bytes: Buffer, wanted: Buffer): number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + 1)) found.push(at);
  return found;
}

/** How much of the id stands at `at`. */
function matching(bytes: Buffer, at: number): number {
  let length = SHORT;
  while (length < ANY_ID.length && bytes[at + length] === ANY_ID.charCodeAt(length)) length++;
  return length;
}

function filledIn(stencil: Stencil, id: string, token: Uint8Array): Uint8Array {
  const elf = Buffer.from(stencil.program.elf);
  for (const { at, length } of stencil.ids) elf.write(id.slice(0, length), at, "latin1");
  for (const at of stencil.tokens) elf.set(token.subarray(0, TOKEN_SIZE), at);
  return elf;
}

/** A number for each object, so that text can name it. */
export function createNumbering(): (object: object | undefined) => number {
  const numbers = new WeakMap<object, number>();
  let last = 0;
  return (object) => {
    if (object === undefined) return 0;
    const known = numbers.get(object);
    if (known !== undefined) return known;
    numbers.set(object, ++last);
    return last;
  };
}

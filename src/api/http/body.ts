import type { Input } from "./input.ts";

/** A request's body. It is read once, in one of the two ways. */
export interface Body {
  /** Bytes as announced. */
  readonly length: number | "chunked";
  /** All of it. @throws BadBody when it is longer than `max` bytes, cut short or malformed */
  all(max: number): Promise<Buffer>;
  /** As it comes; the sender waits while nobody reads. */
  stream(): AsyncGenerator<Buffer, void>;
  /** Reads and forgets the rest. @returns false when that is too much to be worth it */
  discard(): Promise<boolean>;
}

/** A body that HTTP does not allow, or that is too long; `status` is what to answer. */
export class BadBody extends Error {
  override readonly name = "BadBody";
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const CUT = "the request's body ended early";
const DISCARD = 256 * 1024;

/**
 * @param waits the sender waits to be asked for it (`Expect: 100-continue`)
 * @param ask called before the first read of such a body
 */
export function createBody(input: Input, length: number | "chunked", waits: boolean, ask: () => void): Body {
  let left = length === "chunked" ? 0 : length;
  let done = length === 0;
  let begun = false;

  const line = async (): Promise<string> => {
    for (;;) {
      const at = input.bytes.indexOf("\r\n");
      if (at >= 0) {
        const text = input.bytes.toString("latin1", 0, at);
        input.drop(at + 2);
        return text;
      }
      if (input.bytes.length > 8192) throw new BadBody(400, "a line of the request's body is too long");
      if (!(await input.more())) throw new BadBody(400, CUT);
    }
  };

  const next = async (): Promise<Buffer | null> => {
    if (done) return null;
    if (!begun) {
      begun = true;
      if (waits) ask();
    }
    if (left === 0 && length === "chunked") {
      const size = /^([0-9a-fA-F]{1,12})[ \t]*(?:;.*)?$/.exec(await line());
      if (!size) throw new BadBody(400, "the request's body is not chunked as it says");
      left = Number.parseInt(size[1]!, 16);
      if (left === 0) {
        // Trailers are allowed and mean nothing here.
        while ((await line()) !== "");
        done = true;
        return null;
      }
    }
    while (input.bytes.length === 0) if (!(await input.more())) throw new BadBody(400, CUT);
    const part = input.bytes.subarray(0, Math.min(left, input.bytes.length));
    input.drop(part.length);
    left -= part.length;
    if (left === 0) {
      if (length === "chunked") {
        if ((await line()) !== "") throw new BadBody(400, "the request's body is not chunked as it says");
      } else done = true;
    }
    return part;
  };

  return {
    length,
    async all(max) {
      if (left > max) throw new BadBody(413, `the request's body is longer than ${max} bytes`);
      const parts: Buffer[] = [];
      let size = 0;
      for (let part = await next(); part; part = await next()) {
        size += part.length;
        if (size > max) throw new BadBody(413, `the request's body is longer than ${max} bytes`);
        parts.push(part);
      }
      return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    },
    async *stream() {
      for (let part = await next(); part; part = await next()) yield part;
    },
    async discard() {
      if (done) return true;
      // Who waits has sent nothing, and must not be asked for it after the answer.
      if (!begun && (waits || left > DISCARD)) return false;
      let size = 0;
      for (let part = await next(); part; part = await next()) {
        size += part.length;
        if (size > DISCARD) return false;
      }
      return true;
    },
  };
}

import { Refusal } from "../oci/error.ts";
import type { Bytes } from "../storage/driver.ts";
import { type Bits, bitsOf, decodeBlock, EndOfData } from "./bzip2-block.ts";

/** No compressed block is larger: 900,000 symbols of at most 20 bits, and its tables. */
const BLOCK_MAX = 2_500_000;
const BLOCK_MAGIC = 0x314159265359;
const END_MAGIC = 0x177245385090;

/** Decompresses bzip2, several streams one after the other included. A block at a time is in memory. */
export async function* bunzip2(source: Bytes): AsyncGenerator<Uint8Array> {
  const chunks = source[Symbol.asyncIterator]();
  let buffer: Uint8Array = new Uint8Array(0);
  let ended = false;
  /** Bit at which the next thing begins. */
  let at = 0;
  async function fill(): Promise<Bits> {
    const kept: Uint8Array[] = [buffer.subarray(at >>> 3)];
    let size = kept[0]!.length;
    at &= 7;
    while (!ended && size < BLOCK_MAX) {
      const next = await chunks.next();
      if (next.done === true) ended = true;
      else {
        kept.push(next.value.slice());
        size += next.value.length;
      }
    }
    buffer = kept.length === 1 ? kept[0]! : Buffer.concat(kept);
    return bitsOf(buffer, at);
  }
  try {
    for (let first = true; ; first = false) {
      let bits = await fill();
      if (!first && buffer.length - (at >>> 3) === 0) return;
      const magic = bits.read(24);
      const level = bits.read(8) - 0x30;
      if (magic !== 0x425a68 || level < 1 || level > 9) throw damaged("no bzip2 header");
      at = bits.position();
      let total = 0;
      for (;;) {
        bits = await fill();
        const kind = bits.read(24) * 2 ** 24 + bits.read(24);
        const sum = (bits.read(16) * 65536 + bits.read(16)) >>> 0;
        if (kind === END_MAGIC) {
          if (sum !== total) throw damaged("wrong checksum");
          // The next stream begins at a whole byte.
          at = (bits.position() + 7) & ~7;
          break;
        }
        if (kind !== BLOCK_MAGIC) throw damaged("no block where one should be");
        const block = decodeBlock(bits, level * 100_000);
        if (block.sum !== sum) throw damaged("wrong checksum of a block");
        total = (((total << 1) | (total >>> 31)) ^ sum) >>> 0;
        at = bits.position();
        yield block.bytes;
      }
    }
  } catch (error) {
    throw error instanceof EndOfData ? damaged(error.message) : error;
  } finally {
    await chunks.return?.();
  }
}

function damaged(why: string): Refusal {
  return new Refusal("invalid", `Cannot read the archive: its bzip2 data is damaged or truncated (${why})`);
}

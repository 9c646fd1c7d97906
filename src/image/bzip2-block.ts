/** The data ends inside of a block, or makes no sense. */
export class EndOfData extends Error {}

/** Reads bits, the highest of a byte first. */
export interface Bits {
  /** At most 24 at once. */
  read(count: number): number;
  /** Bits read from the beginning of the buffer. */
  position(): number;
}

/** Reads a buffer from the bit `start` on. */
export function bitsOf(buffer: Uint8Array, start: number): Bits {
  let at = start;
  return {
    read(count) {
      let value = 0;
      for (let left = count; left > 0; ) {
        const byte = buffer[at >>> 3];
        if (byte === undefined) throw new EndOfData("it ends inside a block");
        const offset = at & 7;
        const taken = Math.min(8 - offset, left);
        value = (value << taken) | ((byte >>> (8 - offset - taken)) & ((1 << taken) - 1));
        at += taken;
        left -= taken;
      }
      return value;
    },
    position: () => at,
  };
}

const RUN_A = 0;
const RUN_B = 1;
const GROUP = 50;
const LENGTH_MAX = 20;

/** Decodes one block after its magic and checksum; `max` bytes before the last run-length step. */
export function decodeBlock(bits: Bits, max: number): { readonly bytes: Uint8Array; readonly sum: number } {
  if (bits.read(1) === 1) throw new EndOfData("randomised blocks are not in use any more");
  const origin = bits.read(24);
  const symbols = symbolsUsed(bits);
  const alphabet = symbols.length + 2;
  const tableCount = bits.read(3);
  const selectorCount = bits.read(15);
  if (symbols.length === 0 || tableCount < 2 || tableCount > 6 || selectorCount < 1)
    throw new EndOfData("malformed block");
  const selectors = readSelectors(bits, tableCount, selectorCount);
  const tables = Array.from({ length: tableCount }, () => huffman(bits, alphabet));
  const { last, counts } = moveToFront(bits, symbols, tables, selectors, max);
  if (origin >= last.length) throw new EndOfData("malformed block");
  return unrun(unsort(last, counts, origin));
}

function symbolsUsed(bits: Bits): number[] {
  const ranges = bits.read(16);
  const used: number[] = [];
  for (let range = 0; range < 16; range++) {
    if ((ranges & (0x8000 >> range)) === 0) continue;
    const inside = bits.read(16);
    for (let i = 0; i < 16; i++) if ((inside & (0x8000 >> i)) !== 0) used.push(range * 16 + i);
  }
  return used;
}

function readSelectors(bits: Bits, tableCount: number, count: number): Uint8Array {
  const order = Array.from({ length: tableCount }, (_, i) => i);
  const selectors = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    let place = 0;
    while (bits.read(1) === 1) if (++place >= tableCount) throw new EndOfData("malformed selector");
    const [table = 0] = order.splice(place, 1);
    order.unshift(table);
    selectors[i] = table;
  }
  return selectors;
}

/** A canonical Huffman code: for each length the first code and where its symbols begin. */
interface Table {
  readonly limit: Int32Array;
  readonly base: Int32Array;
  readonly symbols: Uint16Array;
}

function huffman(bits: Bits, alphabet: number): Table {
  const lengths = new Uint8Array(alphabet);
  let length = bits.read(5);
  for (let i = 0; i < alphabet; i++) {
    for (;;) {
      if (length < 1 || length > LENGTH_MAX) throw new EndOfData("malformed code");
      if (bits.read(1) === 0) break;
      length += bits.read(1) === 0 ? 1 : -1;
    }
    lengths[i] = length;
  }
  const limit = new Int32Array(LENGTH_MAX + 2).fill(-1);
  const base = new Int32Array(LENGTH_MAX + 2);
  const symbols = new Uint16Array(alphabet);
  let code = 0;
  let filled = 0;
  for (let size = 1; size <= LENGTH_MAX; size++) {
    base[size] = code - filled;
    for (let i = 0; i < alphabet; i++) {
      if (lengths[i] !== size) continue;
      symbols[filled++] = i;
      code++;
    }
    limit[size] = code - 1;
    code <<= 1;
  }
  return { limit, base, symbols };
}

function moveToFront(
  bits: Bits,
  used: readonly number[],
  tables: readonly Table[],
  selectors: Uint8Array,
  max: number,
): { readonly last: Uint8Array; readonly counts: Int32Array } {
  const order = [...used];
  const out = new Uint8Array(max);
  const counts = new Int32Array(256);
  const end = used.length + 1;
  let size = 0;
  let run = 0;
  let weight = 1;
  for (let read = 0; ; read++) {
    const selector = selectors[Math.floor(read / GROUP)];
    if (selector === undefined) throw new EndOfData("too few selectors");
    const symbol = nextSymbol(bits, tables[selector]!);
    if (symbol === RUN_A || symbol === RUN_B) {
      run += weight * (symbol + 1);
      weight *= 2;
      if (run > max) throw new EndOfData("a block is too long");
      continue;
    }
    if (run > 0) {
      if (size + run > max) throw new EndOfData("a block is too long");
      const byte = order[0]!;
      out.fill(byte, size, size + run);
      counts[byte] = counts[byte]! + run;
      size += run;
      run = 0;
      weight = 1;
    }
    if (symbol === end) return { last: out.subarray(0, size), counts };
    if (size >= max) throw new EndOfData("a block is too long");
    const [byte = 0] = order.splice(symbol - 1, 1);
    order.unshift(byte);
    out[size++] = byte;
    counts[byte] = counts[byte]! + 1;
  }
}

function nextSymbol(bits: Bits, { limit, base, symbols }: Table): number {
  let code = 0;
  for (let size = 1; size <= LENGTH_MAX; size++) {
    code = (code << 1) | bits.read(1);
    if (code <= limit[size]!) {
      const symbol = symbols[code - base[size]!];
      if (symbol !== undefined) return symbol;
    }
  }
  throw new EndOfData("no such code");
}

/** Takes back the Burrows-Wheeler transform. */
function unsort(last: Uint8Array, counts: Int32Array, origin: number): Uint8Array {
  const starts = new Int32Array(256);
  for (let i = 1; i < 256; i++) starts[i] = starts[i - 1]! + counts[i - 1]!;
  const next = new Int32Array(last.length);
  for (let i = 0; i < last.length; i++) next[starts[last[i]!]!++] = i;
  const out = new Uint8Array(last.length);
  let at = next[origin]!;
  for (let i = 0; i < out.length; i++) {
    out[i] = last[at]!;
    at = next[at]!;
  }
  return out;
}

const CRC = Uint32Array.from({ length: 256 }, (_, i) => {
  let value = i << 24;
  for (let bit = 0; bit < 8; bit++) value = value & 0x80000000 ? (value << 1) ^ 0x04c11db7 : value << 1;
  return value >>> 0;
});

/** Four equal bytes are followed by how many more of them there are. */
function unrun(bytes: Uint8Array): { readonly bytes: Uint8Array; readonly sum: number } {
  let size = 0;
  for (let i = 0, same = 0; i < bytes.length; i++) {
    same = i > 0 && same > 0 && bytes[i] === bytes[i - 1] ? same + 1 : 1;
    size++;
    if (same === 4 && i + 1 < bytes.length) {
      size += bytes[++i]!;
      same = 0;
    }
  }
  const out = new Uint8Array(size);
  let at = 0;
  for (let i = 0, same = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    same = i > 0 && same > 0 && byte === bytes[i - 1] ? same + 1 : 1;
    out[at++] = byte;
    if (same === 4 && i + 1 < bytes.length) {
      const more = bytes[++i]!;
      out.fill(byte, at, at + more);
      at += more;
      same = 0;
    }
  }
  let sum = 0xffffffff;
  for (let i = 0; i < out.length; i++) sum = ((sum << 8) ^ CRC[((sum >>> 24) ^ out[i]!) & 0xff]!) >>> 0;
  return { bytes: out, sum: ~sum >>> 0 };
}

/**
 * Values of D-Bus as bytes and back (specification, "Marshaling (Wire Format)"). Types are written as their signatures:
 * `s`, `as`, `a(sv)`. What is not needed to ask systemd (descriptors, doubles) is not here.
 */
export type Value = number | bigint | boolean | string | Variant | readonly Value[];

/** A value that says its own type. */
export interface Variant {
  readonly type: string;
  readonly value: Value;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Bytes that a type begins at a multiple of. */
const ALIGNMENT: Readonly<Record<string, number>> = {
  y: 1,
  g: 1,
  v: 1,
  n: 2,
  q: 2,
  b: 4,
  i: 4,
  u: 4,
  s: 4,
  o: 4,
  a: 4,
  x: 8,
  t: 8,
  "(": 8,
  "{": 8,
};

const alignmentOf = (type: string): number => {
  const found = ALIGNMENT[type[0] ?? ""];
  if (found === undefined) throw new Error(`there is no type ${type.slice(0, 20)}`);
  return found;
};

/** The complete types of a signature, one after the other. */
export function typesOf(signature: string): string[] {
  const types: string[] = [];
  for (let at = 0; at < signature.length; ) {
    const end = endOf(signature, at);
    types.push(signature.slice(at, end));
    at = end;
  }
  return types;
}

function endOf(signature: string, start: number): number {
  let at = start;
  while (signature[at] === "a") at++;
  let depth = 0;
  do {
    const sign = signature[at++];
    if (sign === undefined) throw new Error(`${signature.slice(0, 40)} is no signature`);
    if (sign === "(" || sign === "{") depth++;
    if (sign === ")" || sign === "}") depth--;
  } while (depth > 0);
  return at;
}

/** Writes little-endian. */
export class Writer {
  private buffer = Buffer.alloc(512);
  length = 0;

  bytes(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }

  align(to: number): void {
    this.room(to);
    while (this.length % to !== 0) this.buffer[this.length++] = 0;
  }

  /** The values of a signature. */
  all(signature: string, values: readonly Value[]): void {
    for (const [index, type] of typesOf(signature).entries()) this.one(type, values[index] ?? "");
  }

  private room(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return;
    const larger = Buffer.alloc(Math.max(this.buffer.length * 2, this.length + bytes));
    this.buffer.copy(larger);
    this.buffer = larger;
  }

  private one(type: string, value: Value): void {
    this.align(alignmentOf(type));
    this.room(8);
    const { buffer } = this;
    switch (type[0]) {
      case "y":
        this.length = buffer.writeUInt8(Number(value), this.length);
        return;
      case "b":
      case "u":
        this.length = buffer.writeUInt32LE(Number(value), this.length);
        return;
      case "i":
        this.length = buffer.writeInt32LE(Number(value), this.length);
        return;
      case "x":
        this.length = buffer.writeBigInt64LE(BigInt(value as number), this.length);
        return;
      case "t":
        this.length = buffer.writeBigUInt64LE(BigInt(value as number), this.length);
        return;
      case "s":
      case "o":
        this.text(encoder.encode(String(value)), 4);
        return;
      case "g":
        this.text(encoder.encode(String(value)), 1);
        return;
      case "v": {
        const { type: inner, value: held } = value as Variant;
        this.one("g", inner);
        this.one(inner, held);
        return;
      }
      case "(":
      case "{":
        this.all(type.slice(1, -1), value as readonly Value[]);
        return;
      default:
        this.array(type.slice(1), value as readonly Value[]);
    }
  }

  private text(bytes: Uint8Array, size: 1 | 4): void {
    this.room(size + bytes.length + 1);
    this.length = this.buffer.writeUIntLE(bytes.length, this.length, size);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
    this.buffer[this.length++] = 0;
  }

  /** The length does not count the padding before the first element. */
  private array(type: string, values: readonly Value[]): void {
    const at = this.length;
    this.length += 4;
    this.align(alignmentOf(type));
    const start = this.length;
    for (const each of values) this.one(type, each);
    this.buffer.writeUInt32LE(this.length - start, at);
  }
}

/** Reads values; a variant is read as what it holds. Whatever does not fit is an Error. */
export class Reader {
  private readonly bytes: Buffer;
  private readonly big: boolean;
  private at: number;

  constructor(bytes: Buffer, big: boolean, at = 0) {
    this.bytes = bytes;
    this.big = big;
    this.at = at;
  }

  all(signature: string): Value[] {
    return typesOf(signature).map((type) => this.one(type, 0));
  }

  private one(type: string, depth: number): Value {
    if (depth > 32) throw new Error("a value is nested too deeply");
    const to = alignmentOf(type);
    this.at += -this.at & (to - 1);
    const { big, bytes } = this;
    switch (type[0]) {
      case "y":
        return bytes.readUInt8(this.step(1));
      case "b":
        return this.u32() !== 0;
      case "n":
        return big ? bytes.readInt16BE(this.step(2)) : bytes.readInt16LE(this.step(2));
      case "q":
        return big ? bytes.readUInt16BE(this.step(2)) : bytes.readUInt16LE(this.step(2));
      case "i":
        return big ? bytes.readInt32BE(this.step(4)) : bytes.readInt32LE(this.step(4));
      case "u":
        return this.u32();
      case "x":
        return big ? bytes.readBigInt64BE(this.step(8)) : bytes.readBigInt64LE(this.step(8));
      case "t":
        return big ? bytes.readBigUInt64BE(this.step(8)) : bytes.readBigUInt64LE(this.step(8));
      case "s":
      case "o":
        return this.text(this.u32());
      case "g":
        return this.text(bytes.readUInt8(this.step(1)));
      case "v": {
        const inner = typesOf(this.text(bytes.readUInt8(this.step(1))));
        return this.one(inner[0] ?? "", depth + 1);
      }
      case "(":
      case "{":
        return typesOf(type.slice(1, -1)).map((each) => this.one(each, depth + 1));
      default:
        return this.array(type.slice(1), depth);
    }
  }

  private array(type: string, depth: number): Value[] {
    const length = this.u32();
    this.at += -this.at & (alignmentOf(type) - 1);
    const end = this.at + length;
    if (end > this.bytes.length) throw new Error("a list is longer than its message");
    const values: Value[] = [];
    while (this.at < end) values.push(this.one(type, depth + 1));
    return values;
  }

  private u32(): number {
    return this.big ? this.bytes.readUInt32BE(this.step(4)) : this.bytes.readUInt32LE(this.step(4));
  }

  private text(length: number): string {
    const start = this.step(length + 1);
    if (start + length >= this.bytes.length) throw new Error("a text is longer than its message");
    return decoder.decode(this.bytes.subarray(start, start + length));
  }

  private step(bytes: number): number {
    const at = this.at;
    this.at += bytes;
    return at;
  }
}

import type { Data, Field } from "../step.ts";
import type { Addresses, Operand } from "./ops.ts";

/** Where a program lies in memory: it is not relocated. */
export interface Base {
  readonly code: number;
  readonly data: number;
}

/** These addresses are free in every fresh process on both architectures. */
const BASE: Base = { code: 0x400000, data: 0x10000000 };
/** ELF header (64 bytes) and three program headers (56 each), rounded up to 16. */
const HEADERS = 240;

/** Value of an operand that does not change while the program runs. */
export function constantOf(
  operand: Exclude<Operand, "acc" | { slot: string }>,
  addresses: Addresses,
): number | bigint {
  if ("imm" in operand) return operand.imm;
  if ("slotAddress" in operand) return addresses.slot(operand.slotAddress);
  return addresses.data(operand.data) + (operand.plus ?? 0);
}

const encoder = new TextEncoder();

interface Placed {
  readonly where: "writable" | "constant" | "zero";
  readonly offset: number;
}

/**
 * Where everything of a launch program lies. The file is: headers, writable data (slots first), constant
 * data, code. Writable memory is mapped a second time, with room for zeroed spaces behind it.
 */
export class Layout {
  readonly #slots = new Map<string, number>();
  readonly #texts = new Map<string, Data>();
  readonly #named = new Map<string, Placed>();
  readonly #placed = new Map<Data, Placed>();
  readonly #structs: { data: Extract<Data, { kind: "struct" }>; offset: number }[] = [];
  readonly #constants: { bytes: Uint8Array; offset: number }[] = [];
  #slotCount = 0;
  #structSize = 0;
  #constantSize = 0;
  #zeroSize = 0;

  /** Make room for a slot. */
  slot(name: string): void {
    if (!this.#slots.has(name)) this.#slots.set(name, this.#slotCount++);
  }

  /** Make room for memory and what it points to. */
  place(data: Data): void {
    if (this.#placed.has(data)) return;
    const name = "name" in data ? data.name : undefined;
    const known = name === undefined ? undefined : this.#named.get(name);
    const placed = known ?? this.#allocate(data);
    this.#placed.set(data, placed);
    if (name !== undefined) this.#named.set(name, placed);
  }

  #allocate(data: Data): Placed {
    switch (data.kind) {
      case "text": {
        // The kernel would see something else than what was checked.
        if (data.text.includes("\0"))
          throw new Error(`Cannot use ${JSON.stringify(data.text.slice(0, 80))}: it has a NUL byte in it`);
        const same = this.#texts.get(data.text);
        if (same !== undefined) return this.#placed.get(same)!;
        this.#texts.set(data.text, data);
        return this.#constant(encoder.encode(`${data.text}\0`), 1);
      }
      case "bytes":
        return this.#constant(data.bytes, 8);
      case "space": {
        const offset = this.#zeroSize;
        this.#zeroSize += (data.size + 15) & ~15;
        return { where: "zero", offset };
      }
      case "struct": {
        const offset = this.#structSize;
        this.#structSize += (sizeOf(data.fields) + 7) & ~7;
        this.#structs.push({ data, offset });
        for (const field of data.fields) {
          if (field instanceof Uint8Array) continue;
          if ("slot" in field.pointer) this.slot(field.pointer.slot);
          else this.place(field.pointer);
        }
        return { where: "writable", offset };
      }
    }
  }

  #constant(bytes: Uint8Array, align: number): Placed {
    const offset = (this.#constantSize + align - 1) & ~(align - 1);
    this.#constants.push({ bytes, offset });
    this.#constantSize = offset + bytes.length;
    return { where: "constant", offset };
  }

  /** Fix the addresses: nothing can be placed after this. */
  addresses(base: Base = BASE): Addresses & {
    readonly codeOffset: number;
    readonly fill: ReadonlyMap<string, number>;
    image(code: Uint8Array): Segments;
  } {
    const slotBase = base.data + HEADERS;
    const slotBytes = this.#slotCount * 8;
    const writableSize = slotBytes + this.#structSize;
    const constantOffset = HEADERS + writableSize;
    const codeOffset = (constantOffset + this.#constantSize + 15) & ~15;
    const zeroBase = (slotBase + writableSize + 15) & ~15;
    const slot = (name: string) => {
      const index = this.#slots.get(name);
      if (index === undefined) throw new Error(`Slot ${name} has no place`);
      return slotBase + index * 8;
    };
    const data = (wanted: Data) => {
      const placed = this.#placed.get(wanted);
      if (placed === undefined) throw new Error(`Memory of kind ${wanted.kind} has no place`);
      if (placed.where === "zero") return zeroBase + placed.offset;
      if (placed.where === "constant") return base.code + constantOffset + placed.offset;
      return slotBase + slotBytes + placed.offset;
    };
    const image = (code: Uint8Array): Segments => {
      const file = new Uint8Array(codeOffset + code.length);
      file.fill(0xff, HEADERS, HEADERS + slotBytes);
      for (const { bytes, offset } of this.#constants) file.set(bytes, constantOffset + offset);
      for (const struct of this.#structs) {
        write(file, HEADERS + slotBytes + struct.offset, struct.data.fields, slot, data);
      }
      file.set(code, codeOffset);
      return {
        file,
        entry: base.code + codeOffset,
        code: base.code,
        data: {
          offset: HEADERS,
          address: slotBase,
          size: writableSize,
          memory: zeroBase - slotBase + this.#zeroSize,
        },
      };
    };
    const fill = new Map(
      [...this.#named].flatMap(([name, { offset, where }]) =>
        where === "writable" ? [[name, HEADERS + slotBytes + offset] as const] : [],
      ),
    );
    return { slotBase, slot, data, codeOffset, fill, image };
  }
}

/** A laid-out program, all but its headers. */
export interface Segments {
  readonly file: Uint8Array;
  readonly entry: number;
  readonly code: number;
  readonly data: {
    readonly offset: number;
    readonly address: number;
    readonly size: number;
    readonly memory: number;
  };
}

function sizeOf(fields: readonly Field[]): number {
  return fields.reduce((sum, field) => sum + (field instanceof Uint8Array ? field.length : 8), 0);
}

function write(
  file: Uint8Array,
  offset: number,
  fields: readonly Field[],
  slot: (name: string) => number,
  data: (data: Data) => number,
): void {
  const view = new DataView(file.buffer);
  let at = offset;
  for (const field of fields) {
    if (field instanceof Uint8Array) {
      file.set(field, at);
      at += field.length;
    } else {
      const { pointer } = field;
      view.setBigUint64(at, BigInt("slot" in pointer ? slot(pointer.slot) : data(pointer)), true);
      at += 8;
    }
  }
}

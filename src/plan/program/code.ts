/** Growing machine code with labels; branches are patched once every label is known. */
export class Code {
  #bytes = new Uint8Array(32768);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  readonly #labels = new Map<string, number>();
  readonly #fixups: { at: number; to: string }[] = [];

  get length(): number {
    return this.#length;
  }

  #room(size: number): void {
    if (this.#length + size <= this.#bytes.length) return;
    const grown = new Uint8Array(this.#bytes.length * 2 + size);
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }

  // One method per count: rest arguments cost an array for each instruction.
  byte(first: number): void {
    this.#room(1);
    this.#bytes[this.#length++] = first;
  }

  byte2(first: number, second: number): void {
    this.#room(2);
    this.#bytes[this.#length++] = first;
    this.#bytes[this.#length++] = second;
  }

  byte3(first: number, second: number, third: number): void {
    this.byte2(first, second);
    this.byte(third);
  }

  byte4(first: number, second: number, third: number, fourth: number): void {
    this.byte2(first, second);
    this.byte2(third, fourth);
  }

  word(value: number): void {
    this.#room(4);
    this.#view.setUint32(this.#length, value >>> 0, true);
    this.#length += 4;
  }

  quad(value: bigint): void {
    this.#room(8);
    this.#view.setBigUint64(this.#length, BigInt.asUintN(64, value), true);
    this.#length += 8;
  }

  /** Zeroes to be written to, until the next method is called. */
  reserve(size: number): { readonly view: DataView; readonly at: number } {
    this.#room(size);
    const at = this.#length;
    this.#length += size;
    return { view: this.#view, at };
  }

  label(name: string): void {
    if (this.#labels.has(name)) throw new Error(`Label ${name} is defined twice`);
    this.#labels.set(name, this.#length);
  }

  /** Remember that the four bytes about to be written depend on where `to` is. */
  fixup(to: string): void {
    this.#fixups.push({ at: this.#length, to });
  }

  /** The finished code; `patch` gets a fix-up's old word, its position and the label's. */
  finish(patch: (word: number, at: number, target: number) => number): Uint8Array {
    for (const { at, to } of this.#fixups) {
      const target = this.#labels.get(to);
      if (target === undefined) throw new Error(`Label ${to} is not defined`);
      this.#view.setUint32(at, patch(this.#view.getUint32(at, true), at, target) >>> 0, true);
    }
    return this.#bytes.slice(0, this.#length);
  }
}

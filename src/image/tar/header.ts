import { type ByteText, byteText } from "./entry.ts";
import { badArchive } from "./error.ts";

/** Every header and every piece of padding is made of blocks (tar(5)). */
export const BLOCK = 512;

/** The 512 bytes of a header, decoded field by field (tar(5): ustar and GNU). */
export interface RawHeader {
  readonly name: ByteText;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  /** One character; "0" for the NUL of old archives. */
  readonly type: string;
  readonly link: ByteText;
  readonly major: number;
  readonly minor: number;
  readonly block: Uint8Array;
}

/** Whether the block ends the archive. */
export function isZero(block: Uint8Array): boolean {
  for (let i = 0; i < block.length; i++) if (block[i] !== 0) return false;
  return true;
}

/** Decodes one header after checking its sum; `position` (bytes) is for the error. */
export function decodeHeader(block: Uint8Array, position: number): RawHeader {
  if (!sumIsRight(block)) throw badArchive(`no tar header at byte ${position}; is it a tar archive?`);
  const magic = byteText(block.subarray(257, 265));
  const ustar = magic.startsWith("ustar\0");
  const gnu = magic === "ustar  \0";
  const name = textField(block, 0, 100);
  // GNU keeps times and sparse extents where ustar has its prefix.
  const prefix = ustar ? textField(block, 345, 155) : "";
  const type = block[156] === 0 ? "0" : String.fromCharCode(block[156] ?? 0);
  return {
    name: (prefix === "" ? name : `${prefix}/${name}`) as ByteText,
    mode: numberField(block, 100, 8),
    uid: numberField(block, 108, 8),
    gid: numberField(block, 116, 8),
    size: numberField(block, 124, 12),
    mtime: numberField(block, 136, 12),
    type,
    link: textField(block, 157, 100),
    major: ustar || gnu ? numberField(block, 329, 8) : 0,
    minor: ustar || gnu ? numberField(block, 337, 8) : 0,
    block,
  };
}

/** A number: octal digits, or base-256 with the top bit set (GNU). NaN when it is neither. */
export function numberField(block: Uint8Array, offset: number, length: number): number {
  const first = block[offset] ?? 0;
  if ((first & 0x80) !== 0) return base256(block, offset, length);
  const text = byteText(block.subarray(offset, offset + length))
    .replace(/[\0 ]+$/, "")
    .trimStart();
  if (text === "") return 0;
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number.NaN;
}

function base256(block: Uint8Array, offset: number, length: number): number {
  const negative = ((block[offset] ?? 0) & 0x40) !== 0;
  let value = negative ? -1n : BigInt((block[offset] ?? 0) & 0x3f);
  if (negative) value = (value << 6n) | BigInt((block[offset] ?? 0) & 0x3f);
  for (let i = 1; i < length; i++) value = (value << 8n) | BigInt(block[offset + i] ?? 0);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : Number.NaN;
}

/** Text up to its first NUL. */
export function textField(block: Uint8Array, offset: number, length: number): ByteText {
  const field = block.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return byteText(end === -1 ? field : field.subarray(0, end));
}

/** The sum of all bytes with the sum's own field as spaces; some old writers summed signed bytes. */
function sumIsRight(block: Uint8Array): boolean {
  let unsigned = 8 * 32;
  let signed = 8 * 32;
  for (let i = 0; i < BLOCK; i++) {
    if (i >= 148 && i < 156) continue;
    const byte = block[i] ?? 0;
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  const stated = numberField(block, 148, 8);
  return stated === unsigned || stated === signed;
}

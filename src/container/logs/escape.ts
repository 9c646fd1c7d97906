/** How Docker writes text in JSON: not quite as JavaScript does, and other programs read its files. */

/** What ASCII characters are written as that do not stand for themselves. */
const ESCAPES: readonly (Uint8Array | null)[] = Array.from({ length: 128 }, (_, code) => {
  const text = escapeOf(code);
  return text === null ? null : Buffer.from(text);
});

function escapeOf(code: number): string | null {
  const letter = String.fromCharCode(code);
  if (letter === "\n") return "\\n";
  if (letter === "\r") return "\\r";
  if (letter === '"' || letter === "\\") return `\\${letter}`;
  // The last three so that a log may be put into HTML (Go's encoding/json).
  const unicode = code < 0x20 || letter === "<" || letter === ">" || letter === "&";
  return unicode ? `\\u${code.toString(16).padStart(4, "0")}` : null;
}

/** 1 for bytes that are to be looked at: those that have an escape, and those of characters beyond ASCII. */
export const isSpecial = Uint8Array.from({ length: 256 }, (_, code) => (ESCAPES[code] === null ? 0 : 1));

/** Each byte that belongs to no character is written as this. */
export const REPLACEMENT = Buffer.from("\\ufffd");

const LINE_SEPARATOR = Buffer.from("\\u2028");
const PARAGRAPH_SEPARATOR = Buffer.from("\\u2029");

/** What the character that begins at `at` is written as; null where it stands for itself. */
export function escapeAt(bytes: Uint8Array, at: number): Uint8Array | null {
  const first = bytes[at]!;
  if (first < 0x80) return ESCAPES[first]!;
  // U+2028 and U+2029 are e2 80 a8 and e2 80 a9: JavaScript once took them for ends of lines.
  if (first !== 0xe2 || bytes[at + 1] !== 0x80) return null;
  const third = bytes[at + 2];
  return third === 0xa8 ? LINE_SEPARATOR : third === 0xa9 ? PARAGRAPH_SEPARATOR : null;
}

/**
 * Bytes of the character beyond ASCII that begins at `at` and ends before `end` (Unicode, table 3-7); 0 where there
 * is none.
 */
export function sequenceAt(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at]!;
  if (first < 0xc2 || first > 0xf4) return 0;
  const size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (at + size > end) return 0;
  const second = bytes[at + 1]!;
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let next = at + 2; next < at + size; next++) if ((bytes[next]! & 0xc0) !== 0x80) return 0;
  return size;
}

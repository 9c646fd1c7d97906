import { Failure } from "../failure.ts";

export const DEFAULT_KEYS = "ctrl-p,ctrl-q";

/** `ctrl-p,ctrl-q` or `a,b` as the bytes a terminal sends. @throws Failure 125 for what no key is */
export function keyBytes(text: string): Uint8Array {
  const codes = text.split(",").map((key) => {
    const control = /^ctrl-([a-z@[\\\]^_])$/i.exec(key)?.[1];
    if (control) return control.toUpperCase().charCodeAt(0) & 0x1f;
    if (key.length === 1 && key.charCodeAt(0) < 128) return key.charCodeAt(0);
    throw new Failure(`invalid detach keys (${text}): Unknown character: '${key}'`, 125);
  });
  return Uint8Array.from(codes);
}

/** What to send on, and whether the whole sequence has been typed. */
export interface Filtered {
  readonly bytes: Uint8Array;
  readonly detached: boolean;
}

/**
 * Watches typed bytes for a sequence, also across reads. Keys that begin it are held back until it is clear
 * that it is not the sequence, then sent on.
 */
export function keyFilter(sequence: Uint8Array): (typed: Uint8Array) => Filtered {
  let matched = 0;
  return (typed) => {
    const kept: number[] = [];
    for (const byte of typed) {
      if (byte === sequence[matched]) {
        matched++;
        if (matched === sequence.length) return { bytes: Uint8Array.from(kept), detached: true };
        continue;
      }
      kept.push(...sequence.subarray(0, matched));
      matched = byte === sequence[0] ? 1 : 0;
      if (matched === 0) kept.push(byte);
    }
    return { bytes: Uint8Array.from(kept), detached: false };
  };
}

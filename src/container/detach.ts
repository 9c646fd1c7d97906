/** Finds the keys that end an attached session in what a person types. */
export interface DetachKeys {
  /** The bytes that a terminal sends for them. */
  readonly sequence: readonly number[];
  /**
   * @returns what to pass on; `detach` once the whole sequence was typed (the keys themselves are kept back).
   */
  scan(chunk: Uint8Array): { readonly pass: Uint8Array; readonly detach: boolean };
}

const DEFAULT = "ctrl-p,ctrl-q";

/**
 * @param keys comma-separated: single characters, or `ctrl-` and one of `a-z @ [ \ ] ^ _`; empty is Docker's
 * default, ctrl-p ctrl-q
 * @returns one sentence when a key is not known
 */
export function detachKeys(keys: string): DetachKeys | string {
  const sequence: number[] = [];
  for (const key of (keys || DEFAULT).split(",")) {
    const control = /^ctrl-([a-z@[\\\]^_])$/.exec(key);
    if (control) sequence.push(control[1]!.toUpperCase().charCodeAt(0) - 64);
    else if (key.length === 1 && key.charCodeAt(0) < 128) sequence.push(key.charCodeAt(0));
    else return `Invalid detach keys (${keys}): Unknown character: '${key}'`;
  }
  let matched = 0;
  return {
    sequence,
    scan(chunk) {
      const pass: number[] = [];
      let plain = matched === 0;
      for (const [index, byte] of chunk.entries()) {
        if (plain && byte !== sequence[0]) continue;
        if (plain) {
          for (let at = 0; at < index; at++) pass.push(chunk[at]!);
          plain = false;
        }
        if (byte === sequence[matched]) {
          if (++matched === sequence.length) return { pass: Uint8Array.from(pass), detach: true };
          continue;
        }
        // Not the sequence after all: what was kept back is typed text.
        pass.push(...sequence.slice(0, matched));
        matched = byte === sequence[0] ? 1 : 0;
        if (matched === 0) pass.push(byte);
      }
      return { pass: plain ? chunk : Uint8Array.from(pass), detach: false };
    },
  };
}

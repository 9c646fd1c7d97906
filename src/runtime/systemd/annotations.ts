import { RuntimeError } from "../failure.ts";
import type { Value, Variant } from "./marshal.ts";
import type { Properties } from "./scope.ts";

/**
 * Properties that a configuration sets by annotations, as podman and CRI-O do with every runtime: the name behind
 * `org.systemd.property.`, the value in GLib's text form of variants, as far as properties of units need it.
 */

const PREFIX = "org.systemd.property.";

/** @throws RuntimeError for a name or a value that is none */
export function annotated(annotations: Readonly<Record<string, string>> = {}): Properties {
  return Object.entries(annotations)
    .filter(([key]) => key.startsWith(PREFIX))
    .map(([key, text]) => {
      const name = key.slice(PREFIX.length);
      const value = parseVariant(text);
      if (!/^[A-Za-z]{2,64}$/.test(name) || value === undefined)
        throw new RuntimeError(
          `Cannot use annotation ${key}: ${JSON.stringify(text)} is no value of a unit's property, like 'text', true or uint64 5`,
        );
      return inMicroseconds(name, value);
    });
}

/** On the bus times are `…USec`; in unit files, and by some callers here, seconds. */
function inMicroseconds(name: string, given: Variant): readonly [string, Variant] {
  if (!/[a-z]Sec$/.test(name) || !/^[iutx]$/.test(given.type)) return [name, given];
  return [name.replace(/Sec$/, "USec"), { type: "t", value: BigInt(given.value as number) * 1_000_000n }];
}

const NUMBERS: Readonly<Record<string, readonly [type: string, bits: number]>> = {
  byte: ["y", 8],
  int32: ["i", -32],
  uint32: ["u", 32],
  int64: ["x", -64],
  uint64: ["t", 64],
};

function parseVariant(text: string): Variant | undefined {
  const trimmed = text.trim();
  if (trimmed === "true" || trimmed === "false") return { type: "b", value: trimmed === "true" };
  const quoted = unquoted(trimmed);
  if (quoted !== undefined) return { type: "s", value: quoted };
  const list = /^(?:@as\s*)?\[(.*)\]$/s.exec(trimmed)?.[1];
  if (list !== undefined) {
    const words = list.trim() === "" ? [] : list.split(",").map((each) => unquoted(each.trim()));
    return words.includes(undefined) ? undefined : { type: "as", value: words as readonly Value[] };
  }
  const [, word = "int32", digits] =
    /^(?:([a-z0-9]+)\s+)?(-?\d{1,20}|0x[0-9a-fA-F]{1,16})$/.exec(trimmed) ?? [];
  const [type, bits = 0] = NUMBERS[word] ?? [];
  if (digits === undefined || type === undefined) return undefined;
  const value = BigInt(digits);
  const fits = bits < 0 ? BigInt.asIntN(-bits, value) === value : BigInt.asUintN(bits, value) === value;
  return fits ? { type, value } : undefined;
}

function unquoted(text: string): string | undefined {
  return /^'([^'\\]*)'$/.exec(text)?.[1] ?? /^"([^"\\]*)"$/.exec(text)?.[1];
}

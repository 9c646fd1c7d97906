import { Refusal } from "../../oci/error.ts";

/** Options of a log driver, as they were given. */
export type Options = Readonly<Record<string, string>>;

/** One sentence, Docker's, that says what is wrong with an option. */
export const wrong = (sentence: string): Refusal => new Refusal("invalid", sentence);

/** @throws Refusal for the first option that the driver does not have */
export function refuseUnknown(options: Options, known: readonly string[], driver: string): void {
  for (const name of Object.keys(options))
    if (!known.includes(name)) throw wrong(`unknown log opt '${name}' for ${driver}`);
}

/** `10m`, `500k`, `1g`, bytes; null when it is none of that. */
export function sizeOf(text: string): number | null {
  const match = /^(\d{1,15})\s*([kmgt]?)i?b?$/i.exec(text.trim());
  if (!match) return null;
  const power = ["", "k", "m", "g", "t"].indexOf(match[2]!.toLowerCase());
  return Number(match[1]) * 1024 ** power;
}

/** Go's `strconv.ParseBool`; undefined when it is none. */
export function truth(text: string): boolean | undefined {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
  return /^(0|f|F|FALSE|false|False)$/.test(text) ? false : undefined;
}

import { Refusal } from "../oci/error.ts";

/** 404. */
export const notFound = (message: string): Refusal => new Refusal("notFound", message);
/** 409. */
export const conflict = (message: string): Refusal => new Refusal("conflict", message);
/** 400. */
export const invalid = (message: string): Refusal => new Refusal("invalid", message);
/** 501. */
export const unsupported = (message: string): Refusal => new Refusal("unsupported", message);
/** 500, as Docker answers to what is no number; the sentence is that of Go's `strconv`. */
export const notANumber = (what: "Atoi" | "ParseInt" | "ParseUint", text: string): Refusal =>
  new Refusal("failed", `strconv.${what}: parsing ${JSON.stringify(text.slice(0, 80))}: invalid syntax`);

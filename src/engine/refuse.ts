import { Refusal } from "../oci/error.ts";

export const notFound = (message: string): Refusal => new Refusal("notFound", message);
export const conflict = (message: string): Refusal => new Refusal("conflict", message);
export const invalid = (message: string): Refusal => new Refusal("invalid", message);
export const unsupported = (message: string): Refusal => new Refusal("unsupported", message);

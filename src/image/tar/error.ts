import { Refusal } from "../../oci/error.ts";
import { readable } from "./entry.ts";

/** The archive itself is wrong. */
export function badArchive(why: string): Refusal {
  return new Refusal("invalid", `Cannot read the archive: ${why}`);
}

/** One entry is refused, by its name. */
export function badEntry(name: string, why: string): Refusal {
  const shown = JSON.stringify(readable(name.length > 300 ? `${name.slice(0, 300)}…` : name));
  return new Refusal("invalid", `Cannot unpack ${shown}: ${why}`);
}

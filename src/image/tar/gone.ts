import { codeOf } from "../../oci/error.ts";

/** Whether an error means that something is no longer what it was a moment ago: removed, or replaced by a link. */
export function isGone(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR", "ELOOP", "ESTALE"].includes(codeOf(error) ?? "");
}

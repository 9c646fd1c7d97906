import { readFileSync } from "node:fs";
import { join } from "node:path";

/** File in a container's directory that has the output of hooks. */
export const HOOK_OUTPUT = "hooks";

/** What the hooks of the container with that directory have said. */
export function hookOutput(directory: string): string {
  try {
    return readFileSync(join(directory, HOOK_OUTPUT), "utf8");
  } catch {
    return "";
  }
}

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BUILD } from "../wire/build.ts";
import { LATE, QUICK, quickFile } from "../wire/quick.ts";

/** Leave word for the front that `start` and `delete` need no runtime. */
export function leaveQuick(directory: string, cgroups: readonly string[]): void {
  const file = quickFile(BUILD, cgroups);
  if (file !== null) writeFileSync(join(directory, QUICK), file, { mode: 0o600 });
}

/** They do from now on. */
export function removeQuick(directory: string): void {
  rmSync(join(directory, QUICK), { force: true });
}

/** The record of a step that failed after the front had given the order to start; it is told once. */
export function takeLate(directory: string): Buffer | undefined {
  const path = join(directory, LATE);
  try {
    const record = readFileSync(path);
    rmSync(path, { force: true });
    return record;
  } catch {
    return undefined;
  }
}

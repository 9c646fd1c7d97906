import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../tools/check/sources.ts";

let made: string | undefined;

/** The single executable of these sources, with its front; the file is in the temporary directory. */
export function builtProgram(): string {
  if (made !== undefined) return made;
  const directory = mkdtempSync(join(tmpdir(), "cais-built-"));
  const built = spawnSync(join(ROOT, "tools/bun"), [join(ROOT, "tools/build/main.ts"), directory], {
    encoding: "utf8",
  });
  if (built.status !== 0) throw new Error(built.stderr);
  made = join(directory, "cais");
  return made;
}

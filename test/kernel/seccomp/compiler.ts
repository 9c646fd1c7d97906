import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A C program in a directory of its own, or why there is none. */
export type Built =
  | ({ readonly program: string; readonly directory: string } & Disposable)
  | { readonly missing: string; [Symbol.dispose](): void };

/** Compiles `source`; tests that need it are skipped with `missing` where that fails. */
export function build(source: string, ...options: string[]): Built {
  const directory = mkdtempSync(join(tmpdir(), "cais-seccomp-"));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  const program = join(directory, "program");
  writeFileSync(`${program}.c`, source);
  const { status, error, stderr } = spawnSync("cc", ["-o", program, `${program}.c`, ...options], {
    encoding: "utf8",
  });
  if (status === 0) return { program, directory, [Symbol.dispose]: remove };
  remove();
  return { missing: error ? "no C compiler" : `cc fails: ${stderr.split("\n")[0]}`, [Symbol.dispose]() {} };
}

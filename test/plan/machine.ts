import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Arch, hostArch } from "../../src/kernel/arch.ts";
import { program } from "../support/skip.ts";

/** Runs programs of other architectures (Debian: qemu-user-static). */
export const interpreterOf = (arch: Arch): string | undefined =>
  arch === hostArch() ? undefined : `qemu-${arch}-static`;

/** Why programs of `arch` cannot run here, or undefined. */
export function machineMissing(arch: Arch): string | undefined {
  const interpreter = interpreterOf(arch);
  return interpreter === undefined ? undefined : program(interpreter, "qemu-user-static");
}

let count = 0;

/** Runs an executable and returns what it wrote; throws when it does not end with 0. */
export function execute(arch: Arch, directory: string, elf: Uint8Array): Buffer {
  const path = join(directory, `program-${count++}`);
  writeFileSync(path, elf, { mode: 0o700 });
  const interpreter = interpreterOf(arch);
  const [command = path, ...args] = interpreter === undefined ? [path] : [interpreter, path];
  const result = spawnSync(command, args, { timeout: 30_000, maxBuffer: 16 << 20 });
  rmSync(path);
  if (result.status !== 0)
    throw new Error(`The program ended with ${result.signal ?? result.status}: ${result.stderr}`);
  return result.stdout;
}

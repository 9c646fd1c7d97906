import { aarch64 } from "./syscalls/aarch64.ts";
import { x86_64 } from "./syscalls/x86_64.ts";

/** The processor architectures a launch program can be compiled for. */
export type Arch = "x86_64" | "aarch64";

/** A system call both architectures have: the only ones a plan may use. */
export type SyscallName = keyof ReturnType<typeof x86_64> & keyof ReturnType<typeof aarch64>;

const TABLES: Record<Arch, () => Record<SyscallName, number>> = { x86_64, aarch64 };

/** The number of `name` on `arch`. */
export function syscallNumber(arch: Arch, name: SyscallName): number {
  return TABLES[arch]()[name];
}

/** The architecture this process runs on; throws for one cais has no assembler for. */
export function hostArch(): Arch {
  if (process.arch === "x64") return "x86_64";
  if (process.arch === "arm64") return "aarch64";
  throw new Error(`Cannot run on ${process.arch}: cais has launchers for x86-64 and aarch64 only`);
}

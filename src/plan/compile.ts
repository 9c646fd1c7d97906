import { type Arch, hostArch } from "../kernel/arch.ts";
import { aarch64 } from "./program/aarch64.ts";
import { elf } from "./program/elf.ts";
import { lower } from "./program/lower.ts";
import type { LowerOptions, NumberedStep } from "./program/numbered.ts";
import type { Assembler } from "./program/ops.ts";
import { x86_64 } from "./program/x86_64.ts";
import type { Plan } from "./step.ts";

const ASSEMBLERS: Record<Arch, Assembler> = { x86_64, aarch64 };

/** What makes machine code for an architecture. */
export function assemblerOf(arch: Arch): Assembler {
  return ASSEMBLERS[arch];
}

export interface CompileOptions extends LowerOptions {
  /** This machine's where it is not named. */
  readonly arch?: Arch;
}

/** A program, and the steps by the number that its records use. */
export interface Program {
  readonly elf: Uint8Array;
  readonly steps: readonly NumberedStep[];
  /** Where in the file structs with a name are: what they hold at the start can be written over. */
  readonly fill: ReadonlyMap<string, number>;
}

/** Compile a plan to a static executable without libc, parser or allocator. */
export function compile(plan: Plan, options: CompileOptions = {}): Program {
  const arch = options.arch ?? hostArch();
  const { writer, steps } = lower(plan, options);
  const addresses = writer.layout.addresses();
  const code = ASSEMBLERS[arch].assemble(writer.ops, addresses);
  return { elf: elf(arch, addresses.image(code)), steps, fill: addresses.fill };
}

import type { ErrnoName } from "../../kernel/errno.ts";
import type { Numbered } from "../step.ts";

/** Which process of the launch program makes a step: the keeper, or the container's first process. */
export type Side = "keeper" | "container";

/** A step that can fail, by the number that records use. */
export interface NumberedStep {
  readonly step: Numbered;
  readonly side: Side;
}

export interface LowerOptions {
  /** File that receives a monotonic timestamp (16 bytes) before the first and after each step. */
  readonly trace?: string;
  /** Make step number `step` fail with `errno` instead of calling the kernel: for tests of undoing. */
  readonly inject?: { readonly step: number; readonly errno: ErrnoName };
}

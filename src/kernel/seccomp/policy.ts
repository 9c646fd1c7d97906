/**
 * A seccomp policy as the OCI runtime specification writes it (config-linux.md, "Seccomp"): what `compile` takes.
 * The same shape as `linux.seccomp` of a runtime configuration, here because nothing below imports the specs.
 */
export interface Policy {
  readonly defaultAction: Action;
  readonly defaultErrnoRet?: number;
  /** `SCMP_ARCH_…`; the host's own is always there. */
  readonly architectures?: readonly string[];
  readonly syscalls?: readonly Rule[];
}

export type Action =
  | "SCMP_ACT_KILL"
  | "SCMP_ACT_KILL_PROCESS"
  | "SCMP_ACT_KILL_THREAD"
  | "SCMP_ACT_TRAP"
  | "SCMP_ACT_ERRNO"
  | "SCMP_ACT_TRACE"
  | "SCMP_ACT_ALLOW"
  | "SCMP_ACT_LOG"
  | "SCMP_ACT_NOTIFY";

export interface Rule {
  readonly names: readonly string[];
  readonly action: Action;
  readonly errnoRet?: number;
  readonly args?: readonly Condition[];
}

export type Operator =
  | "SCMP_CMP_NE"
  | "SCMP_CMP_LT"
  | "SCMP_CMP_LE"
  | "SCMP_CMP_EQ"
  | "SCMP_CMP_GE"
  | "SCMP_CMP_GT"
  | "SCMP_CMP_MASKED_EQ";

/** A comparison of one argument, unsigned 64-bit. */
export interface Condition {
  readonly index: number;
  /** With `SCMP_CMP_MASKED_EQ` the mask. */
  readonly value: number | bigint;
  /** With `SCMP_CMP_MASKED_EQ` what the masked argument must equal. */
  readonly valueTwo?: number | bigint;
  readonly op: Operator;
}

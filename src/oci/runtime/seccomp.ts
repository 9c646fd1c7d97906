/** Which system calls a container may make: `linux.seccomp` of the runtime-spec 1.2. */
export interface Seccomp {
  readonly defaultAction: SeccompAction;
  /** Given by the default action `SCMP_ACT_ERRNO` or `SCMP_ACT_TRACE`; EPERM where absent. */
  readonly defaultErrnoRet?: number;
  /** `SCMP_ARCH_X86_64` …; empty is the architecture of the host. */
  readonly architectures?: readonly string[];
  /** `SECCOMP_FILTER_FLAG_TSYNC` … */
  readonly flags?: readonly string[];
  readonly listenerPath?: string;
  readonly listenerMetadata?: string;
  readonly syscalls?: readonly SeccompRule[];
}

export type SeccompAction =
  | "SCMP_ACT_KILL"
  | "SCMP_ACT_KILL_PROCESS"
  | "SCMP_ACT_KILL_THREAD"
  | "SCMP_ACT_TRAP"
  | "SCMP_ACT_ERRNO"
  | "SCMP_ACT_TRACE"
  | "SCMP_ACT_ALLOW"
  | "SCMP_ACT_LOG"
  | "SCMP_ACT_NOTIFY";

/** All of `args` must hold, except that several conditions on one argument are alternatives. */
export interface SeccompRule {
  readonly names: readonly string[];
  readonly action: SeccompAction;
  readonly errnoRet?: number;
  readonly args?: readonly SeccompArg[];
}

/** Unsigned 64-bit values; those above 2^53 need a bigint. */
export interface SeccompArg {
  /** 0 to 5. */
  readonly index: number;
  /** With `SCMP_CMP_MASKED_EQ` the mask. */
  readonly value: number | bigint;
  /** With `SCMP_CMP_MASKED_EQ` what the masked argument must equal. */
  readonly valueTwo?: number | bigint;
  readonly op: SeccompOperator;
}

export type SeccompOperator =
  | "SCMP_CMP_NE"
  | "SCMP_CMP_LT"
  | "SCMP_CMP_LE"
  | "SCMP_CMP_EQ"
  | "SCMP_CMP_GE"
  | "SCMP_CMP_GT"
  | "SCMP_CMP_MASKED_EQ";

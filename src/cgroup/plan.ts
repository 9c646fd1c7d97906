import type { ErrnoName } from "../kernel/errno.ts";
import type { DeviceRule } from "../oci/runtime/resources.ts";

/** A value written to a file of a container's cgroup. */
export interface Write {
  readonly file: string;
  readonly value: string;
  /** The part of the runtime configuration behind it: `linux.resources.memory.limit`. */
  readonly field: string;
  /** Errors that mean "this kernel cannot, and that is harmless here". */
  readonly tolerate?: readonly ErrnoName[];
}

/**
 * What must happen so that a process is limited, as data; the launch plan turns it into steps: make the
 * directories, write the values, then the child attaches itself (v1) or is born inside (v2).
 */
export interface CgroupPlan {
  /** `/cais/<id>`: relative to each tree. */
  readonly cgroup: string;
  /** Made in this order (mode 0755), removed in the reverse one. */
  readonly directories: readonly string[];
  readonly writes: readonly Write[];
  /**
   * v1: written by the child itself, once, before it unshares its cgroup namespace. "0" to `tasks` means "the
   * thread that writes", which the kernel moves without its global lock. Measured on Linux 6.18, one write
   * every 20 ms: `tasks` 37 to 67 µs at p50 and at most 79 at p90; `cgroup.procs` 38 to 75 and 7400 to 15000,
   * because taking the lock may wait for an RCU grace period. In a tight loop both take 11 µs.
   */
  readonly attach: readonly { readonly file: string; readonly text: "0" }[];
  /** The v2 directory for `CLONE_INTO_CGROUP`; its own among `directories`. */
  readonly unified?: string;
  /** v2: device rules for `deviceProgramSteps` with a descriptor of `unified`. */
  readonly devices?: readonly DeviceRule[];
  /** A file whose `oom_kill` line counts kills: `memory.events` (v2) or `memory.oom_control` (v1). */
  readonly oom?: string;
}

import { DEFAULT_PROFILE } from "../../../src/kernel/seccomp/default.ts";
import type { Policy } from "../../../src/kernel/seccomp/policy.ts";
import { resolveProfile } from "../../../src/kernel/seccomp/profile.ts";

/** The default policy of a container with these capabilities, on a current kernel. */
export const dockerDefault = (arch: "x86_64" | "aarch64", ...capabilities: string[]): Policy =>
  resolveProfile(DEFAULT_PROFILE, { arch, capabilities, kernel: "6.18.0" });

const ALL = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"];
const BIG = 0x1234_5678_9abc_def0n;

/** Every operator and action, values on both sides of the 32-bit border. */
export const EVERY_OPERATOR: Policy = {
  defaultAction: "SCMP_ACT_ALLOW",
  architectures: ALL,
  syscalls: [
    { names: ["getpid"], action: "SCMP_ACT_KILL" },
    { names: ["getppid"], action: "SCMP_ACT_KILL_PROCESS" },
    { names: ["gettid"], action: "SCMP_ACT_KILL_THREAD" },
    { names: ["getpgid"], action: "SCMP_ACT_TRAP" },
    { names: ["getsid"], action: "SCMP_ACT_ERRNO" },
    { names: ["setsid"], action: "SCMP_ACT_ERRNO", errnoRet: 99 },
    { names: ["setpgid"], action: "SCMP_ACT_TRACE", errnoRet: 7 },
    { names: ["sync"], action: "SCMP_ACT_LOG" },
    { names: ["fsync"], action: "SCMP_ACT_NOTIFY" },
    { names: ["close"], action: "SCMP_ACT_TRAP", args: [{ index: 0, value: BIG, op: "SCMP_CMP_EQ" }] },
    { names: ["dup"], action: "SCMP_ACT_TRAP", args: [{ index: 0, value: BIG, op: "SCMP_CMP_NE" }] },
    { names: ["fcntl"], action: "SCMP_ACT_TRAP", args: [{ index: 1, value: BIG, op: "SCMP_CMP_LT" }] },
    { names: ["flock"], action: "SCMP_ACT_TRAP", args: [{ index: 1, value: BIG, op: "SCMP_CMP_LE" }] },
    { names: ["ioctl"], action: "SCMP_ACT_TRAP", args: [{ index: 1, value: BIG, op: "SCMP_CMP_GE" }] },
    { names: ["fchmod"], action: "SCMP_ACT_TRAP", args: [{ index: 1, value: BIG, op: "SCMP_CMP_GT" }] },
    {
      names: ["fchown"],
      action: "SCMP_ACT_TRAP",
      args: [
        {
          index: 2,
          value: 0xff00_0000_0000_00ffn,
          valueTwo: 0x1200_0000_0000_00f0n,
          op: "SCMP_CMP_MASKED_EQ",
        },
      ],
    },
    {
      names: ["read"],
      action: "SCMP_ACT_ERRNO",
      errnoRet: 5,
      args: [
        { index: 0, value: 3, op: "SCMP_CMP_GT" },
        { index: 2, value: 100, op: "SCMP_CMP_LE" },
      ],
    },
    {
      names: ["write"],
      action: "SCMP_ACT_ERRNO",
      errnoRet: 6,
      args: [
        { index: 0, value: 1, op: "SCMP_CMP_EQ" },
        { index: 0, value: 2, op: "SCMP_CMP_EQ" },
      ],
    },
    {
      names: ["write"],
      action: "SCMP_ACT_ERRNO",
      errnoRet: 8,
      args: [{ index: 2, value: 7, op: "SCMP_CMP_EQ" }],
    },
    { names: ["no_such_call"], action: "SCMP_ACT_KILL" },
  ],
};

/** Arguments around every border that the policies above name. */
export const SAMPLES: readonly (readonly bigint[])[] = [
  0n,
  1n,
  2n,
  4n,
  8n,
  40n,
  101n,
  0x20000n,
  0x20008n,
  0x10000000n,
  0x7e020000n,
  0xffffffffn,
  0x100000028n,
  BIG - 1n,
  BIG,
  BIG + 1n,
  BIG + 0x1_0000_0000n,
  BIG - 0x1_0000_0000n,
  0x12ff_ffff_ffff_fff0n,
  0xffff_ffff_ffff_ffffn,
].flatMap((first) => [
  [first, first, first, 0n, 0n, 0n],
  [first, 0n, 7n, 1n, 2n, 3n],
]);

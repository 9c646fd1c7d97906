import type { Arch } from "../arch.ts";
import { aarch64 } from "../syscalls/aarch64.ts";
import { arm } from "../syscalls/arm.ts";
import { i386 } from "../syscalls/i386.ts";
import { x32 } from "../syscalls/x32.ts";
import { x86_64 } from "../syscalls/x86_64.ts";

/** One way to make system calls that a filter must tell from the others. */
export interface Architecture {
  readonly name: string;
  /** `AUDIT_ARCH_*` of `linux/audit.h`: what `seccomp_data.arch` holds. */
  readonly audit: number;
  /** Bits of an argument that count. x32 passes 32-bit ones, so its upper halves are not looked at. */
  readonly bits: 32 | 64;
  readonly syscalls: Readonly<Record<string, number>>;
  /** Where calls begin that other architectures have no numbers for. */
  readonly own?: number;
}

const AUDIT_X86_64 = 0xc000003e;

/** Every architecture the kernel of a host can run, the host's own first. */
const OF_HOST: Readonly<Record<Arch, readonly Architecture[]>> = {
  x86_64: [
    {
      name: "SCMP_ARCH_X86_64",
      audit: AUDIT_X86_64,
      bits: 64,
      get syscalls() {
        return x86_64();
      },
    },
    {
      name: "SCMP_ARCH_X86",
      audit: 0x40000003,
      bits: 32,
      get syscalls() {
        return i386();
      },
    },
    {
      name: "SCMP_ARCH_X32",
      audit: AUDIT_X86_64,
      bits: 32,
      get syscalls() {
        return x32();
      },
    },
  ],
  aarch64: [
    {
      name: "SCMP_ARCH_AARCH64",
      audit: 0xc00000b7,
      bits: 64,
      get syscalls() {
        return aarch64();
      },
    },
    {
      name: "SCMP_ARCH_ARM",
      audit: 0x40000028,
      bits: 32,
      get syscalls() {
        return arm();
      },
      own: 0xf0000,
    },
  ],
};

/** Architectures of other processors: a policy may list them, here they cannot occur. */
const ELSEWHERE =
  /^SCMP_ARCH_(X86|X86_64|X32|ARM|AARCH64|MIPS\w*|PPC\w*|S390X?|PARISC\w*|RISCV64|LOONGARCH64|M68K|SHE?B?)$/;

/** The architectures of the policy that `host` can run, always its own among them; throws for an unknown name. */
export function architectures(host: Arch, listed: readonly string[]): readonly Architecture[] {
  const unknown = listed.find((name) => !ELSEWHERE.test(name));
  if (unknown !== undefined)
    throw new Error(`Cannot use the seccomp architecture "${unknown}": there is none`);
  return OF_HOST[host].filter(({ name }, index) => index === 0 || listed.includes(name));
}

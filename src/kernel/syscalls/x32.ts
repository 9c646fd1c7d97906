import { once } from "../once.ts";
import { x86_64 } from "./x86_64.ts";

/** Set in the number of every x32 call (`__X32_SYSCALL_BIT`). */
export const X32_BIT = 0x40000000;

/** Calls of x86-64 that x32 never had. */
const ABSENT: ReadonlySet<string> = new Set([
  "uselib",
  "_sysctl",
  "create_module",
  "get_kernel_syms",
  "query_module",
  "nfsservctl",
  "set_thread_area",
  "get_thread_area",
  "epoll_ctl_old",
  "epoll_wait_old",
  "vserver",
]);

/** Calls whose structures hold pointers or longs: x32 has a number of its own for each, 512 and on. */
const OWN: readonly string[] = [
  "rt_sigaction",
  "rt_sigreturn",
  "ioctl",
  "readv",
  "writev",
  "recvfrom",
  "sendmsg",
  "recvmsg",
  "execve",
  "ptrace",
  "rt_sigpending",
  "rt_sigtimedwait",
  "rt_sigqueueinfo",
  "sigaltstack",
  "timer_create",
  "mq_notify",
  "kexec_load",
  "waitid",
  "set_robust_list",
  "get_robust_list",
  "vmsplice",
  "move_pages",
  "preadv",
  "pwritev",
  "rt_tgsigqueueinfo",
  "recvmmsg",
  "sendmmsg",
  "process_vm_readv",
  "process_vm_writev",
  "setsockopt",
  "getsockopt",
  "io_setup",
  "io_submit",
  "execveat",
  "preadv2",
  "pwritev2",
];

/** System call numbers of x32 with `X32_BIT`, from `asm/unistd_x32.h` (arch/x86/entry/syscalls/syscall_64.tbl). */
export const x32 = once(
  (): Readonly<Record<string, number>> =>
    Object.fromEntries([
      ...Object.entries(x86_64())
        .filter(([name]) => !ABSENT.has(name))
        .map(([name, number]) => [name, X32_BIT + number] as const),
      ...OWN.map((name, index) => [name, X32_BIT + 512 + index] as const),
    ]),
);

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { hostArch } from "../../../src/kernel/arch.ts";
import { compile } from "../../../src/kernel/seccomp/compile.ts";
import type { Policy } from "../../../src/kernel/seccomp/policy.ts";
import { build } from "./compiler.ts";
import { dockerDefault } from "./policies.ts";

/** Loads a filter from a file, then makes the system calls it is told to and prints what each returned. */
const SOURCE = `
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv) {
  static struct sock_filter filter[4096];
  long size = read(open(argv[1], O_RDONLY), filter, sizeof filter);
  struct sock_fprog program = { size / 8, filter };
  setvbuf(stdout, 0, _IONBF, 0);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, 2, &program)) { perror("seccomp"); return 1; }
  for (int i = 2; i + 1 < argc; i += 2) {
    errno = 0;
    long result = syscall(strtol(argv[i], 0, 0), strtol(argv[i + 1], 0, 0), 0, 0, 0, 0, 0);
    printf("%ld %d\\n", result < 0 ? -1L : 0L, errno);
  }
}`;

const built = build(SOURCE);
after(() => built[Symbol.dispose]());
const skip =
  "missing" in built
    ? `the loader cannot be built: ${built.missing}`
    : hostArch() === "x86_64"
      ? false
      : "the call numbers are those of x86-64";

function run(policy: Policy, ...calls: number[]) {
  if ("missing" in built) throw new Error(built.missing);
  const file = join(built.directory, "filter");
  writeFileSync(file, compile(policy, hostArch()));
  return spawnSync(built.program, [file, ...calls.map(String)], { encoding: "utf8" });
}

test("a process under Docker's default: what is allowed works, the rest fails as in Docker", { skip }, () => {
  const { stdout, status } = run(
    dockerDefault("x86_64", "CAP_CHOWN"),
    ...[39, 0], // getpid
    ...[272, 0x10000000], // unshare(CLONE_NEWUSER)
    ...[435, 0], // clone3
    ...[135, 0xffffffff], // personality: ask
    ...[135, 0x40000], // personality: ADDR_NO_RANDOMIZE
    ...[41, 40], // socket(AF_VSOCK)
    ...[41, 38], // socket(AF_ALG)
    ...[41, 0x1_0000_0028], // AF_VSOCK to the kernel, which looks at 32 bits of it
    ...[41, 0x1_0000_0026],
    ...[41, 16], // socket(AF_NETLINK, 0), by the kernel
    ...[41, 1], // socket(AF_UNIX, 0): EINVAL from the kernel itself
    ...[999, 0], // a call of the future
  );
  assert.equal(status, 0);
  assert.deepEqual(stdout.trim().split("\n"), [
    "0 0",
    "-1 1",
    "-1 38",
    "0 0",
    "-1 1",
    "-1 1",
    "-1 1",
    "-1 1",
    "-1 1",
    "-1 94",
    "-1 94",
    "-1 38",
  ]);
});

test("KILL_PROCESS ends the process with SIGSYS, ERRNO returns its number", { skip }, () => {
  const policy: Policy = {
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [
      { names: ["getppid"], action: "SCMP_ACT_ERRNO", errnoRet: 77 },
      { names: ["getpgrp"], action: "SCMP_ACT_KILL_PROCESS" },
    ],
  };
  const { stdout, signal } = run(policy, 110, 0, 111, 0);
  assert.equal(stdout, "-1 77\n");
  assert.equal(signal, "SIGSYS");
});

test("an x32 call under a policy without x32 ends the process", { skip }, () => {
  const policy: Policy = { defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_X86_64"] };
  assert.equal(run(policy, 0x40000000 + 39, 0).signal, "SIGSYS");
});

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { compile } from "../../../src/kernel/seccomp/compile.ts";
import type { Policy } from "../../../src/kernel/seccomp/policy.ts";
import { build } from "./compiler.ts";
import { interpret } from "./interpreter.ts";
import { dockerDefault, EVERY_OPERATOR, SAMPLES } from "./policies.ts";
import { ARCHES, RETURNS } from "./reference.ts";

/** Reads `default VALUE`, `arch TOKEN`, `rule VALUE NAME COUNT (INDEX OP A B)…`; writes the program to a file. */
const SOURCE = `
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <fcntl.h>
struct arg { unsigned index; int op; uint64_t a, b; };
void *seccomp_init(uint32_t);
int seccomp_arch_add(void *, uint32_t);
int seccomp_syscall_resolve_name(const char *);
int seccomp_rule_add_array(void *, uint32_t, int, unsigned, const struct arg *);
int seccomp_export_bpf(void *, int);
int main(int argc, char **argv) {
  char word[64]; void *filter = 0; unsigned value;
  while (scanf("%63s %u", word, &value) == 2) {
    if (!strcmp(word, "default")) filter = seccomp_init(value);
    else if (!strcmp(word, "arch")) seccomp_arch_add(filter, value);
    else {
      struct arg args[6]; unsigned count; unsigned long long a, b;
      if (scanf("%63s %u", word, &count) != 2) return 2;
      for (unsigned i = 0; i < count; i++) {
        if (scanf("%u %d %llu %llu", &args[i].index, &args[i].op, &a, &b) != 4) return 2;
        args[i].a = a; args[i].b = b;
      }
      int number = seccomp_syscall_resolve_name(word);
      if (number == -1) printf("%s\\n", word);
      else if (seccomp_rule_add_array(filter, value, number, count, args)) fprintf(stderr, "%s refused\\n", word);
    }
  }
  return seccomp_export_bpf(filter, open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0600));
}`;

const built = build(SOURCE, "-l:libseccomp.so.2");
after(() => built[Symbol.dispose]());
const skip = "missing" in built ? `libseccomp cannot be linked: ${built.missing}` : false;

const OPERATORS = ["", "NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"];
const TOKENS: Record<string, number> = {
  SCMP_ARCH_X86: 0x40000003,
  SCMP_ARCH_X32: 0x4000003e,
  SCMP_ARCH_X86_64: 0xc000003e,
};
const value = (action: string, errno = 1) =>
  RETURNS[action]! + (action === "SCMP_ACT_ERRNO" || action === "SCMP_ACT_TRACE" ? errno : 0);

/** What runc tells libseccomp: one rule a name, and one a condition where two are about the same argument. */
function script(policy: Policy): string {
  const lines = [`default ${value(policy.defaultAction, policy.defaultErrnoRet)}`];
  for (const arch of policy.architectures ?? []) if (TOKENS[arch]) lines.push(`arch ${TOKENS[arch]}`);
  for (const { names, action, errnoRet, args = [] } of policy.syscalls ?? []) {
    const doubled = new Set(args.map(({ index }) => index)).size < args.length;
    const rules = doubled ? args.map((arg) => [arg]) : [args];
    for (const name of names) {
      for (const rule of rules) {
        const written = rule.map(({ index, op, value: a, valueTwo: b = 0 }) =>
          [index, OPERATORS.indexOf(op.slice(9)), a, b].join(" "),
        );
        lines.push(`rule ${value(action, errnoRet)} ${name} ${rule.length} ${written.join(" ")}`);
      }
    }
  }
  return `${lines.join("\n")}\n`;
}

/** Rules whose order libseccomp decides by itself, and those a 32-bit argument cannot hold, are not compared. */
const COMPARABLE: Policy = {
  ...EVERY_OPERATOR,
  syscalls: EVERY_OPERATOR.syscalls!.filter(({ names }) => !names.includes("write")),
};

/** Calls the kernel has, and the table of libseccomp 2.5 has not. */
const ABSENT = new Set(["SCMP_ARCH_X32 map_shadow_stack"]);

for (const [title, policy] of [
  ["every operator", COMPARABLE],
  ["Docker's default", dockerDefault("x86_64")],
  [
    "Docker's default with many capabilities",
    dockerDefault("x86_64", "CAP_SYS_ADMIN", "CAP_SYS_PTRACE", "CAP_BPF"),
  ],
] as const) {
  test(`${title}: each call gets what libseccomp's program gives it`, { skip }, () => {
    if ("missing" in built) return;
    const file = join(built.directory, "bpf");
    const { stdout, stderr, status } = spawnSync(built.program, [file], {
      input: script(policy),
      encoding: "utf8",
    });
    assert.equal(status, 0, stderr);
    const unknown = new Set(stdout.split("\n"));
    const theirs = readFileSync(file);
    const ours = compile(policy, "x86_64");
    let compared = 0;
    for (const { name: arch, audit, bits, table } of ARCHES) {
      if (!policy.architectures!.includes(arch) || !(arch in TOKENS)) continue;
      for (const [name, number] of Object.entries(table)) {
        if (unknown.has(name) || ABSENT.has(`${arch} ${name}`)) continue;
        for (const args of SAMPLES) {
          const given = bits === 64 ? args : args.map((arg) => BigInt.asUintN(32, arg));
          const got = interpret(ours, { number, audit, args: given });
          // The ENOSYS for calls above all known ones is runc's, not libseccomp's.
          if (got === 0x50026 && name !== "clone3") continue;
          compared++;
          const expected = interpret(theirs, { number, audit, args: given });
          assert.equal(got, expected, `${arch} ${name}(${given.join(", ")})`);
        }
      }
    }
    assert.ok(compared > 20000, String(compared));
  });
}

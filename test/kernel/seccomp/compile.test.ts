import assert from "node:assert/strict";
import { test } from "node:test";
import { compile } from "../../../src/kernel/seccomp/compile.ts";
import type { Policy } from "../../../src/kernel/seccomp/policy.ts";
import { x86_64 } from "../../../src/kernel/syscalls/x86_64.ts";
import { interpret } from "./interpreter.ts";
import { dockerDefault, EVERY_OPERATOR, SAMPLES } from "./policies.ts";
import { ARCHES, evaluate } from "./reference.ts";

const KILL_PROCESS = 0x80000000;
const ENOSYS = 0x50026;
const ALLOW = 0x7fff0000;
const ZEROS = [0n, 0n, 0n, 0n, 0n, 0n];

for (const [title, policyOf] of Object.entries({
  "every operator and action": () => EVERY_OPERATOR,
  "Docker's default without capabilities": (host: "x86_64" | "aarch64") => dockerDefault(host),
  "Docker's default with CAP_SYS_ADMIN": (host: "x86_64" | "aarch64") => dockerDefault(host, "CAP_SYS_ADMIN"),
})) {
  for (const { name: arch, host, audit, bits, table } of ARCHES) {
    test(`${title}: each call of ${arch} gets what the policy says`, () => {
      const policy = policyOf(host);
      const program = compile(policy, host);
      for (const [name, number] of Object.entries(table)) {
        for (const args of SAMPLES) {
          const given = bits === 64 ? args : args.map((arg) => BigInt.asUintN(32, arg));
          const expected = beyond(policy, table, number) ? ENOSYS : evaluate(policy, name, given, bits);
          const got = interpret(program, { number, audit, args: given });
          if (name === "socketcall" || name === "ipc") continue;
          assert.equal(got, expected, `${name}(${given.map(String).join(", ")})`);
        }
      }
    });
  }
}

/** Above every call the policy names, where its default does not let calls happen. */
function beyond(policy: Policy, table: Readonly<Record<string, number>>, number: number): boolean {
  if (policy.defaultAction === "SCMP_ACT_ALLOW" || (number & 0xf0000) === 0xf0000) return false;
  const named = (policy.syscalls ?? []).flatMap(({ names }) => names.map((name) => table[name] ?? -1));
  return number > Math.max(...named.filter((known) => (known & 0xf0000) !== 0xf0000));
}

test("numbers without a name: refused in a gap, ENOSYS above all known ones", () => {
  const program = compile(dockerDefault("x86_64"), "x86_64");
  const x86 = (number: number) => interpret(program, { number, audit: 0xc000003e, args: ZEROS });
  assert.equal(x86(400), 0x50001);
  assert.equal(x86(600), ENOSYS);
  assert.equal(x86(0x3fffffff), ENOSYS);
  assert.equal(x86(0x40000000 + 700), ENOSYS);
  assert.equal(x86(0xffffffff), ALLOW, "what a tracer has skipped");
});

test("a call of an architecture the policy has not ends the process", () => {
  const program = compile({ defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_X86_64"] }, "x86_64");
  assert.equal(interpret(program, { number: 20, audit: 0x40000003, args: ZEROS }), KILL_PROCESS);
  assert.equal(interpret(program, { number: 0x40000001, audit: 0xc000003e, args: ZEROS }), KILL_PROCESS);
  assert.equal(interpret(program, { number: 1, audit: 0xc00000b7, args: ZEROS }), KILL_PROCESS);
  assert.equal(interpret(program, { number: 1, audit: 0xc000003e, args: ZEROS }), ALLOW);
});

test("the host's own architecture is there even if the policy lists only others", () => {
  const program = compile({ defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_X86"] }, "x86_64");
  assert.equal(interpret(program, { number: 1, audit: 0xc000003e, args: ZEROS }), ALLOW);
});

test("on i386 a rule for a socket or IPC call covers socketcall and ipc", () => {
  const policy: Policy = {
    defaultAction: "SCMP_ACT_ERRNO",
    architectures: ["SCMP_ARCH_X86"],
    syscalls: [
      { names: ["bind", "shmget"], action: "SCMP_ACT_ALLOW" },
      { names: ["socket"], action: "SCMP_ACT_ALLOW", args: [{ index: 0, value: 1, op: "SCMP_CMP_EQ" }] },
    ],
  };
  const program = compile(policy, "x86_64");
  const i386 = (number: number, first: bigint) =>
    interpret(program, { number, audit: 0x40000003, args: [first, 0n, 0n, 0n, 0n, 0n] });
  assert.equal(i386(102, 2n), ALLOW, "socketcall(SYS_BIND)");
  assert.equal(i386(102, 1n), 0x50001, "socketcall(SYS_SOCKET): its family cannot be seen");
  assert.equal(i386(117, 23n), ALLOW, "ipc(SHMGET)");
  assert.equal(i386(117, 21n), 0x50001, "ipc(SHMAT)");
});

test("jumps farther than 255 instructions get stepping stones", () => {
  const names = Object.keys(x86_64()).filter((_, index) => index % 2 === 0);
  const policy: Policy = {
    defaultAction: "SCMP_ACT_ERRNO",
    syscalls: names.map((name, index) => ({
      names: [name],
      action: "SCMP_ACT_ERRNO",
      errnoRet: 100 + index,
      args: [{ index: index % 6, value: BigInt(index) << 31n, op: "SCMP_CMP_GE" }],
    })),
  };
  const program = compile(policy, "x86_64");
  assert.ok(program.length / 8 > 1000);
  for (const name of names) {
    for (const args of SAMPLES) {
      const got = interpret(program, {
        number: x86_64()[name as keyof ReturnType<typeof x86_64>],
        audit: 0xc000003e,
        args,
      });
      assert.equal(got, evaluate(policy, name, args, 64), name);
    }
  }
});

test("a call is decided in a logarithm of comparisons", () => {
  const program = compile(dockerDefault("x86_64"), "x86_64");
  assert.ok(program.length / 8 < 500, `${program.length / 8} instructions`);
});

test("a policy too large for the kernel is refused", () => {
  const condition = (index: number) =>
    ({ index: 0, value: BigInt(index) << 20n, op: "SCMP_CMP_EQ" }) as const;
  const policy: Policy = {
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: Array.from({ length: 2000 }, (_, index) => ({
      names: ["read"],
      action: "SCMP_ACT_ERRNO",
      args: [condition(index)],
    })),
  };
  assert.throws(() => compile(policy, "x86_64"), /the kernel takes 4096/);
});

for (const [title, policy, pattern] of [
  ["action", { defaultAction: "SCMP_ACT_NAP" }, /seccomp action "SCMP_ACT_NAP"/],
  ["architecture", { defaultAction: "SCMP_ACT_ALLOW", architectures: ["VAX"] }, /seccomp architecture "VAX"/],
  [
    "operator",
    {
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: [{ names: ["read"], action: "SCMP_ACT_KILL", args: [{ index: 0, value: 0, op: "~" }] }],
    },
    /seccomp operator "~"/,
  ],
  [
    "argument",
    {
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: [
        { names: ["read"], action: "SCMP_ACT_KILL", args: [{ index: 6, value: 0, op: "SCMP_CMP_EQ" }] },
      ],
    },
    /argument 6/,
  ],
  ["errnoRet", { defaultAction: "SCMP_ACT_ALLOW", defaultErrnoRet: 1 }, /only ERRNO and TRACE/],
] as const) {
  test(`an unknown ${title} is refused by name`, () => {
    assert.throws(() => compile(policy as unknown as Policy, "x86_64"), pattern);
  });
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { dropPrivileges } from "../../../src/container/launch/privileges.ts";
import { reasonsFrom } from "../../../src/container/launch/reasons.ts";
import { compileDefaultPolicy, seccompOf } from "../../../src/container/spec/security.ts";
import type { Arch } from "../../../src/kernel/arch.ts";
import { compile } from "../../../src/kernel/seccomp/compile.ts";
import type { Data, Step } from "../../../src/plan/step.ts";

/** The BPF program that a plan for `arch` loads. */
function filterOf(arch: Arch): Uint8Array {
  const facts = { arch, kernel: "6.18.0", capabilities: [] };
  const seccomp = seccompOf({}, "default", [], facts);
  const process = { user: { uid: 0, gid: 0 }, cwd: "/", args: ["true"] };
  const steps = dropPrivileges(process, seccomp, arch, false, reasonsFrom(new Map()));
  const step = steps.find(
    (each): each is Extract<Step, { kind: "call" }> => each.kind === "call" && each.call === "seccomp",
  );
  const program = step?.args[2];
  assert.ok(program?.kind === "data" && program.data.kind === "struct");
  const field = program.data.fields[1];
  assert.ok(field !== undefined && !(field instanceof Uint8Array) && "kind" in field.pointer);
  const bytes: Data = field.pointer;
  assert.ok(bytes.kind === "bytes");
  return bytes.bytes;
}

/** AUDIT_ARCH_* of the first comparison of a filter (linux/audit.h). */
const firstArchitecture = (filter: Uint8Array) =>
  new DataView(filter.buffer, filter.byteOffset).getUint32(12, true);

test("a plan for another architecture gets that one's filter", () => {
  assert.equal(firstArchitecture(filterOf("x86_64")), 0xc000003e);
  assert.equal(firstArchitecture(filterOf("aarch64")), 0xc00000b7);
});

test("a policy is resolved and compiled once, custom ones too", () => {
  const facts = { arch: "x86_64", kernel: "6.18.0", capabilities: [] } as const;
  compileDefaultPolicy(facts);
  const profile = JSON.stringify({
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_ERRNO" }],
  });
  for (const option of ["default", { profile }] as const) {
    const [first, again] = [0, 1].map(() => seccompOf({}, option, ["CAP_CHOWN"], facts));
    assert.ok(first !== undefined && again === first);
    assert.equal(compile(first, "x86_64"), compile(again, "x86_64"));
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { deviceProgram, deviceProgramSteps } from "../../src/cgroup/devices-bpf.ts";
import type { DeviceRule } from "../../src/oci/runtime/resources.ts";

/** What `program` says to a process that wants `access` to a device: the interpreter of the few opcodes it uses. */
function ask(program: Uint8Array, type: "b" | "c", major: number, minor: number, access: string): boolean {
  const view = new DataView(program.buffer);
  const bits = [...access].reduce((sum, letter) => sum | { m: 1, r: 2, w: 4 }[letter as "m"], 0);
  const context = [(bits << 16) | (type === "b" ? 1 : 2), major, minor];
  const registers = new Array<number>(11).fill(0);
  for (let pc = 0; pc < program.length / 8; pc++) {
    const [op, pair] = [view.getUint8(pc * 8), view.getUint8(pc * 8 + 1)];
    const [dst, src] = [pair & 15, pair >> 4];
    const [offset, imm] = [view.getInt16(pc * 8 + 2, true), view.getInt32(pc * 8 + 4, true)];
    const value = registers[dst] ?? 0;
    if (op === 0x61) registers[dst] = context[offset / 4] ?? 0;
    else if (op === 0xb7) registers[dst] = imm;
    else if (op === 0xbf) registers[dst] = registers[src] ?? 0;
    else if (op === 0x57) registers[dst] = value & imm;
    else if (op === 0x77) registers[dst] = value >>> imm;
    else if (op === 0x15) pc += value === imm ? offset : 0;
    else if (op === 0x55) pc += value !== imm ? offset : 0;
    else if (op === 0x95) return registers[0] === 1;
    else assert.fail(`opcode ${op}`);
  }
  return assert.fail("the program runs off its end");
}

const allow = (type: "b" | "c", major: number, minor: number, access = "rwm"): DeviceRule => ({
  allow: true,
  type,
  major,
  minor,
  access,
});

test("what no rule names is denied", () => {
  const program = deviceProgram([{ allow: false, access: "rwm" }, allow("c", 1, 3)]);
  assert.equal(ask(program, "c", 1, 3, "rw"), true);
  assert.equal(ask(program, "b", 1, 3, "rw"), false);
  assert.equal(ask(program, "c", 1, 5, "r"), false);
  assert.equal(ask(program, "c", 2, 3, "r"), false);
  assert.equal(ask(deviceProgram([]), "c", 1, 3, "r"), false);
});

test("access is counted letter by letter, over several rules", () => {
  const program = deviceProgram([allow("c", 1, 3, "r"), allow("c", 1, -1, "w")]);
  assert.equal(ask(program, "c", 1, 3, "rw"), true);
  assert.equal(ask(program, "c", 1, 3, "rwm"), false);
  assert.equal(ask(program, "c", 1, 4, "w"), true);
  assert.equal(ask(program, "c", 1, 4, "rw"), false);
});

test("a later rule wins", () => {
  const program = deviceProgram([
    { allow: true },
    { allow: false, type: "c", major: 1, minor: 11, access: "w" },
  ]);
  assert.equal(ask(program, "c", 1, 11, "r"), true);
  assert.equal(ask(program, "c", 1, 11, "rw"), false);
  assert.equal(ask(program, "b", 8, 0, "rwm"), true);
  assert.equal(
    ask(deviceProgram([{ allow: false }, allow("c", 1, 3), { allow: true }]), "b", 9, 9, "m"),
    true,
  );
});

test("nothing follows a rule for everything: the verifier refuses what cannot be reached", () => {
  assert.deepEqual(deviceProgram([allow("c", 1, 3), { allow: true }]), deviceProgram([{ allow: true }]));
});

test("the steps load, attach and close", () => {
  const steps = deviceProgramSteps([{ allow: true }], "cgroup");
  assert.deepEqual(
    steps.map((step) => (step.kind === "call" ? step.call : step.kind)),
    ["bpf", "store", "store", "bpf", "close"],
  );
});

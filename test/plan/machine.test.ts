// Safe beside other test files.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Arch, hostArch } from "../../src/kernel/arch.ts";
import { aarch64 } from "../../src/plan/program/aarch64.ts";
import { elf } from "../../src/plan/program/elf.ts";
import type { Condition, Operand, Size } from "../../src/plan/program/ops.ts";
import { at, imm, slot, Writer } from "../../src/plan/program/writer.ts";
import { x86_64 } from "../../src/plan/program/x86_64.ts";
import type { Data } from "../../src/plan/step.ts";
import { needs } from "../support/skip.ts";
import { execute, machineMissing } from "./machine.ts";

// Every operation of a launch program with every kind of operand, executed on both architectures.

const directory = mkdtempSync(join(tmpdir(), "cais-test-machine-"));
after(() => rmSync(directory, { recursive: true }));

/** Runs what `write` writes; `say` sends a 64-bit value to the output. */
function run(arch: Arch, write: (writer: Writer, say: (value: Operand) => void) => void): bigint[] {
  const writer = new Writer();
  const out: Data = { kind: "space", size: 8, name: "out" };
  write(writer, (value) => {
    writer.store(at(out), 0, 8, value);
    writer.syscall("write", imm(1), at(out), imm(8));
  });
  writer.syscall("exit_group", imm(0));
  const addresses = writer.layout.addresses();
  const assembler = { x86_64, aarch64 }[arch];
  const image = addresses.image(assembler.assemble(writer.ops, addresses));
  const output = execute(arch, directory, elf(arch, image));
  return Array.from({ length: output.length / 8 }, (_, index) => output.readBigInt64LE(index * 8));
}

const IMMEDIATES = [
  0n,
  1n,
  -1n,
  0x7fffn,
  0xffffn,
  0x10000n,
  -0x10000n,
  -0x10001n,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x100000000n,
  -0x80000000n,
  -0x80000001n,
  -0x100000000n,
  0x123456789abcdef0n,
  0x1234_0000_5678_0000n,
  -0x123456789abcdef0n,
  0x7fffffffffffffffn,
  -0x8000000000000000n,
  // As people write flags: without a sign.
  0xffffffffffffffffn,
  0x8000000000000000n,
];
const signed = (values: readonly bigint[]) => values.map((value) => BigInt.asIntN(64, value));

for (const arch of ["x86_64", "aarch64"] as const) {
  const can = needs(arch === hostArch() ? undefined : machineMissing(arch));

  test(`${arch}: immediates of every width arrive whole`, can, () => {
    const found = run(arch, (writer, say) => {
      for (const value of IMMEDIATES) {
        writer.set("x", imm(value));
        say(slot("x"));
        say(imm(value));
      }
    });
    assert.deepEqual(found, signed(IMMEDIATES.flatMap((value) => [value, value])));
    const plain = run(arch, (_writer, say) => {
      for (const value of [5, -5, 0xffffffff, 2 ** 40, -(2 ** 40), Number.MAX_SAFE_INTEGER]) say(imm(value));
    });
    assert.deepEqual(plain, [5n, -5n, 0xffffffffn, 1n << 40n, -(1n << 40n), BigInt(Number.MAX_SAFE_INTEGER)]);
  });

  test(`${arch}: slots start as -1 and are set from every kind of operand`, can, () => {
    const text: Data = { kind: "text", text: "AB" };
    const found = run(arch, (writer, say) => {
      say(slot("fresh"));
      writer.set("a", imm(40));
      say(slot("a", 2));
      say(slot("a", -50));
      writer.set("b", slot("a"));
      say(slot("b"));
      writer.set("p", { slotAddress: "a" });
      writer.load("through", slot("p"), 0, 8);
      say(slot("through"));
      writer.set("q", at(text, 1));
      writer.load("letter", slot("q"), 0, 1);
      say(slot("letter"));
      writer.recall("a");
      writer.set("c", "acc");
      say(slot("c"));
    });
    assert.deepEqual(found, [-1n, 42n, -10n, 40n, 40n, 0x42n, 40n]);
  });

  test(`${arch}: add, subtract and divide`, can, () => {
    const found = run(arch, (writer, say) => {
      writer.set("x", imm(10));
      writer.add("x", imm(-3));
      say(slot("x"));
      writer.set("y", imm(5));
      writer.subtract("x", slot("y"));
      say(slot("x"));
      writer.subtract("x", imm(1n << 40n));
      say(slot("x"));
      writer.recall("y");
      writer.add("x", "acc");
      say(slot("x"));
      writer.set("d", imm(0x123456789abcdefn));
      writer.divide("d", 1000, "r");
      say(slot("d"));
      say(slot("r"));
      writer.set("d", imm(-1));
      writer.divide("d", 10, "r");
      say(slot("d"));
      say(slot("r"));
    });
    const all = 0x123456789abcdefn;
    const most = (1n << 64n) - 1n;
    const minus = 2n - (1n << 40n);
    assert.deepEqual(found, [7n, 2n, minus, minus + 5n, all / 1000n, all % 1000n, most / 10n, most % 10n]);
  });

  test(`${arch}: memory of every size, zero-extended, at offsets`, can, () => {
    const memory: Data = { kind: "space", size: 4096, name: "memory" };
    const found = run(arch, (writer, say) => {
      writer.store(at(memory), 0, 8, imm(-1));
      for (const [index, size] of ([1, 2, 4, 8] as const).entries()) {
        writer.store(at(memory), 64 + index * 8, size as Size, imm(0x1122334455667788n));
        writer.load("x", at(memory), 64 + index * 8, 8);
        say(slot("x"));
        writer.load("x", at(memory), 0, size as Size);
        say(slot("x"));
      }
      writer.store(at(memory, 4000), 88, 8, imm(7));
      writer.load("x", at(memory), 4088, 8);
      say(slot("x"));
      writer.set("base", at(memory));
      writer.recall("base");
      writer.store("acc", 8, 4, imm(9));
      writer.load("x", slot("base", 8), 0, 4);
      say(slot("x"));
      writer.recall("x");
      writer.store(at(memory), 16, 8, "acc");
      writer.load("x", at(memory), 16, 8);
      say(slot("x"));
    });
    const all = 0x1122334455667788n;
    assert.deepEqual(found, [0x88n, 0xffn, 0x7788n, 0xffffn, 0x55667788n, 0xffffffffn, all, -1n, 7n, 9n, 9n]);
  });

  test(`${arch}: comparisons are signed and take every kind of operand on both sides`, can, () => {
    const values = [-(1n << 62n), -0x80000001n, -5n, -1n, 0n, 1n, 5n, 0x7fffffffn, 0xffffffffn, 1n << 62n];
    const holds: Record<Condition, (a: bigint, b: bigint) => boolean> = {
      eq: (a, b) => a === b,
      ne: (a, b) => a !== b,
      lt: (a, b) => a < b,
      ge: (a, b) => a >= b,
    };
    const cases = values.flatMap((a) =>
      values.flatMap((b) => (Object.keys(holds) as Condition[]).map((is) => ({ a, b, is }))),
    );
    const found = run(arch, (writer, say) => {
      for (const { a, b, is } of cases) {
        writer.set("a", imm(a));
        writer.set("b", imm(b));
        writer.set("result", imm(0));
        // One bit for each way to say it.
        for (const [bit, [left, right]] of [
          [slot("a"), slot("b")],
          ["acc", imm(b)],
          ["acc", slot("b")],
          [imm(a), imm(b)],
        ].entries()) {
          const yes = writer.fresh("yes");
          const no = writer.fresh("no");
          writer.recall("a");
          writer.if(left as Operand, is, right as Operand, yes);
          writer.jump(no);
          writer.label(yes);
          writer.add("result", imm(1 << bit));
          writer.label(no);
        }
        writer.recall("b");
        const no = writer.fresh("no");
        const yes = writer.fresh("yes");
        writer.if(slot("a"), is, "acc", yes);
        writer.jump(no);
        writer.label(yes);
        writer.add("result", imm(16));
        writer.label(no);
        say(slot("result"));
      }
    });
    for (const [index, { a, b, is }] of cases.entries())
      assert.equal(found[index], holds[is](a, b) ? 31n : 0n, `${a} ${is} ${b}`);
  });

  test(`${arch}: a call takes six arguments of every kind, the accumulator at any place`, can, () => {
    const found = run(arch, (writer, say) => {
      const out: Data = { kind: "text", text: "12345678" };
      // lseek of a memfd echoes its arguments: fd, offset, whence.
      writer.syscall("memfd_create", at({ kind: "text", text: "m" }), imm(0));
      writer.set("file", "acc");
      writer.set("where", imm(1234));
      writer.recall("where");
      writer.syscall("lseek", slot("file"), "acc", imm(0));
      writer.set("r", "acc");
      say(slot("r"));
      writer.recall("file");
      writer.syscall("lseek", "acc", imm(77), imm(0));
      writer.set("r", "acc");
      say(slot("r"));
      writer.syscall("ftruncate", slot("file"), imm(4096));
      writer.syscall("write", slot("file"), at(out), imm(0));
      writer.set("shared", imm(1));
      writer.recall("file");
      // mmap(0, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0): fifth and sixth argument.
      writer.syscall("mmap", imm(0), imm(4096), imm(3), slot("shared"), "acc", imm(0));
      writer.set("mapped", "acc");
      writer.store(slot("mapped"), 8, 8, imm(99));
      writer.syscall("pread64", slot("file"), { slotAddress: "back" }, imm(8), imm(8));
      say(slot("back"));
      writer.syscall("close", imm(1000));
      writer.set("r", "acc");
      say(slot("r"));
    });
    assert.deepEqual(found, [1234n, 77n, 99n, -9n]);
  });

  test(`${arch}: branches reach over two megabytes of code, both ways`, can, () => {
    const found = run(arch, (writer, say) => {
      const filler = () => {
        for (let count = 0; count < 45_000; count++) {
          writer.syscall("getpid");
          writer.set("x", imm(0x123456789abcdef0n));
          writer.set("y", slot("x"));
        }
      };
      writer.set("round", imm(0));
      writer.jump("start");
      writer.label("back");
      say(slot("round"));
      writer.if(slot("round"), "eq", imm(1), "forward");
      filler();
      writer.label("start");
      writer.add("round", imm(1));
      writer.if(slot("round"), "lt", imm(5), "back");
      writer.label("forward");
      say(imm(1000));
    });
    assert.deepEqual(found, [1n, 1000n]);
  });
}

test("labels that are missing or twice there are mistakes of ours, told at once", () => {
  assert.throws(() => run(hostArch(), (writer) => writer.jump("nowhere")), /Label nowhere/);
  assert.throws(
    () =>
      run(hostArch(), (writer) => {
        writer.label("a");
        writer.label("a");
      }),
    /Label a is defined twice/,
  );
});

import type { Condition } from "./policy.ts";
import type { Node } from "./program.ts";

/** Offsets in `struct seccomp_data`, on a little-endian machine. */
const low = (index: number) => 16 + index * 8;
const high = (index: number) => 20 + index * 8;

/** The nodes that test `condition` of an argument of `bits` and go on at `yes` or `no`. */
export function conditionNode(condition: Condition, bits: 32 | 64, yes: Node, no: Node): Node {
  const { index, op } = condition;
  if (!Number.isInteger(index) || index < 0 || index > 5) {
    throw new Error(`Cannot test argument ${index} of a system call: they are numbered 0 to 5`);
  }
  const value = unsigned(condition.value);
  const word = (k: bigint) => Number(k & 0xffff_ffffn);
  const upper = (k: bigint) => Number(k >> 32n);
  const test = (opcode: "eq" | "gt" | "ge", k: number, then: Node, otherwise: Node): Node => ({
    kind: "test",
    op: opcode,
    value: k,
    yes: then,
    no: otherwise,
  });

  const equal = (mask: bigint, wanted: bigint, then: Node, otherwise: Node): Node => {
    const half = (offset: number, bitsOfMask: number, k: number, next: Node): Node => {
      if (bitsOfMask === 0) return next;
      const compare = test("eq", k, next, otherwise);
      return { kind: "load", offset, next: bitsOfMask === 0xffff_ffff ? compare : and(bitsOfMask, compare) };
    };
    const lower = half(low(index), word(mask), word(wanted), then);
    return bits === 64 ? half(high(index), upper(mask), upper(wanted), lower) : lower;
  };

  /** Greater, or with `ge` greater or equal: the upper halves decide unless they are equal. */
  const above = (opcode: "gt" | "ge", then: Node, otherwise: Node): Node => {
    const lower: Node = {
      kind: "load",
      offset: low(index),
      next: test(opcode, word(value), then, otherwise),
    };
    if (bits === 32) return lower;
    const undecided = test("eq", upper(value), lower, otherwise);
    return { kind: "load", offset: high(index), next: test("gt", upper(value), then, undecided) };
  };

  switch (op) {
    case "SCMP_CMP_EQ":
      return equal(ALL_BITS, value, yes, no);
    case "SCMP_CMP_NE":
      return equal(ALL_BITS, value, no, yes);
    case "SCMP_CMP_MASKED_EQ":
      // Bits outside the mask cannot match anything: they do not count, as in libseccomp.
      return equal(value, unsigned(condition.valueTwo ?? 0) & value, yes, no);
    case "SCMP_CMP_GT":
      return above("gt", yes, no);
    case "SCMP_CMP_GE":
      return above("ge", yes, no);
    case "SCMP_CMP_LE":
      return above("gt", no, yes);
    case "SCMP_CMP_LT":
      return above("ge", no, yes);
    default:
      throw new Error(`Cannot use the seccomp operator "${op}": there is none`);
  }
}

const ALL_BITS = 0xffff_ffff_ffff_ffffn;

function and(mask: number, next: Node): Node {
  return { kind: "and", mask, next };
}

function unsigned(value: number | bigint): bigint {
  if (typeof value === "number" && !Number.isInteger(value)) {
    throw new Error(`Cannot compare an argument of a system call with ${value}: it must be a whole number`);
  }
  return BigInt.asUintN(64, BigInt(value));
}

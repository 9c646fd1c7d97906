import type { SyscallName } from "../../kernel/arch.ts";
import type { Call, Data, Slot } from "../step.ts";
import { Layout } from "./layout.ts";
import type { Condition, Op, Operand, Size } from "./ops.ts";
import { IGNORED } from "./table.ts";

/** Collects operations; what they mention gets a place in memory as it is mentioned. */
export class Writer {
  readonly ops: Op[] = [];
  readonly layout = new Layout();
  #labels = 0;

  /** A label nobody else has. */
  fresh(name: string): string {
    return `${name}.${this.#labels++}`;
  }

  syscall(call: SyscallName, ...args: readonly Operand[]): void {
    for (const arg of args) this.#mention(arg);
    this.ops.push({ op: "syscall", call, args });
  }

  /** Rows of a table; see table.ts. */
  calls(calls: readonly Call[], step: Slot, failed: string): void {
    const { layout } = this;
    layout.slot(step);
    layout.slot(IGNORED);
    for (const { args, result } of calls) {
      if (result !== undefined) layout.slot(result);
      for (const arg of args) {
        if (arg.kind === "data") layout.place(arg.data);
        else if (arg.kind !== "number") layout.slot(arg.slot);
      }
    }
    this.ops.push({ op: "calls", calls, step, failed });
  }

  set(slot: Slot, value: Operand): void {
    this.layout.slot(slot);
    this.#mention(value);
    this.ops.push({ op: "set", slot, value });
  }

  add(slot: Slot, value: Operand): void {
    this.layout.slot(slot);
    this.#mention(value);
    this.ops.push({ op: "add", slot, value });
  }

  subtract(slot: Slot, value: Operand): void {
    this.layout.slot(slot);
    this.#mention(value);
    this.ops.push({ op: "subtract", slot, value });
  }

  divide(slot: Slot, by: number, remainder: Slot): void {
    this.layout.slot(slot);
    this.layout.slot(remainder);
    this.ops.push({ op: "divide", slot, by, remainder });
  }

  if(left: Operand, is: Condition, right: Operand, to: string): void {
    this.#mention(left);
    this.#mention(right);
    this.ops.push({ op: "if", left, is, right, to });
  }

  recall(slot: Slot): void {
    this.layout.slot(slot);
    this.ops.push({ op: "recall", slot });
  }

  jump(to: string): void {
    this.ops.push({ op: "jump", to });
  }

  label(name: string): void {
    this.ops.push({ op: "label", name });
  }

  load(slot: Slot, base: Operand, offset: number, size: Size): void {
    this.layout.slot(slot);
    this.#mention(base);
    this.ops.push({ op: "load", slot, base, offset, size });
  }

  store(base: Operand, offset: number, size: Size, value: Operand): void {
    this.#mention(base);
    this.#mention(value);
    this.ops.push({ op: "store", base, offset, size, value });
  }

  stack(slot: Slot): void {
    this.layout.slot(slot);
    this.ops.push({ op: "stack", slot });
  }

  enter(entry: Operand, stack: Operand): void {
    this.#mention(entry);
    this.#mention(stack);
    this.ops.push({ op: "enter", entry, stack });
  }

  #mention(operand: Operand): void {
    if (operand === "acc" || "imm" in operand) return;
    if ("slot" in operand) this.layout.slot(operand.slot);
    else if ("slotAddress" in operand) this.layout.slot(operand.slotAddress);
    else this.layout.place(operand.data);
  }
}

/** A constant operand. */
export function imm(value: number | bigint): Operand {
  return { imm: value };
}

/** The value of a slot. */
export function slot(name: Slot, plus?: number): Operand {
  return plus === undefined ? { slot: name } : { slot: name, plus };
}

/** The address of memory. */
export function at(data: Data, plus?: number): Operand {
  return plus === undefined ? { data } : { data, plus };
}

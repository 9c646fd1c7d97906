import type { Arg } from "../step.ts";
import type { Operand } from "./ops.ts";
import { at, imm, slot } from "./writer.ts";

/** An argument of a call as the program has it. */
export function operandOf(arg: Arg): Operand {
  switch (arg.kind) {
    case "number":
      return imm(arg.value);
    case "slot":
      return slot(arg.slot);
    case "slotAddress":
      return { slotAddress: arg.slot };
    case "data":
      return at(arg.data);
  }
}

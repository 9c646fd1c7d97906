import { ERRNO } from "../../kernel/errno.ts";
import { imm, slot, type Writer } from "./writer.ts";

/** openat2(2) gives up with EAGAIN when a mount or a rename anywhere crosses a `..`; the next time is likely better. */
const TRIES = 500;

/** Make a call until it does something else than fail with EAGAIN, within bounds. */
export function lowerRetry(writer: Writer, call: () => void): void {
  const again = writer.fresh("again");
  const done = writer.fresh("tried");
  writer.set("tries", imm(TRIES));
  writer.label(again);
  call();
  writer.set("tried", "acc");
  writer.add("tries", imm(-1));
  writer.if(slot("tries"), "eq", imm(0), done);
  writer.if(slot("tried"), "eq", imm(-ERRNO.EAGAIN), again);
  writer.label(done);
  writer.recall("tried");
}

import { SIGNALS } from "../../kernel/signals.ts";
import type { Data, Slot } from "../step.ts";
import { at, imm, slot, type Writer } from "./writer.ts";

const PROT_READ_WRITE = 3;
const MAP_SHARED_ANONYMOUS = 0x21;
const STATUS: Data = { kind: "space", size: 8, name: "helper-status" };
/** A page that keeper and helper share: the child's pid or an error, and the step that failed. */
const SHARED: Slot = "helper-page";

interface Helped {
  readonly number: number;
  /** Gets the child's pid. */
  readonly pid: Slot;
  /** Where the number of the step is kept that is being made. */
  readonly step: Slot;
  readonly failed: string;
}

/**
 * Make a child from within other namespaces: a helper process, which exists for these few calls, enters them and
 * clones the child as its sibling (`CLONE_PARENT`), so that the keeper stays where it is and still has a child to
 * wait for. `clone` makes the call; what follows is where the child goes on.
 */
export function lowerHelper(
  writer: Writer,
  { failed, number, pid, step }: Helped,
  enter: (stopped: string) => void,
  clone: () => void,
): void {
  const parent = writer.fresh("helper-parent");
  const stopped = writer.fresh("helper-stopped");
  const child = writer.fresh("helper-child");
  const done = writer.fresh("helper-done");
  writer.syscall("mmap", imm(0), imm(4096), imm(PROT_READ_WRITE), imm(MAP_SHARED_ANONYMOUS), imm(-1), imm(0));
  writer.if("acc", "lt", imm(0), failed);
  writer.set(SHARED, "acc");
  // struct clone_args (linux/sched.h): a plain fork; what shares memory is refused by setns of a time namespace.
  const args: Data = { kind: "space", size: 88, name: `helper-clone.${number}` };
  writer.store(at(args), 32, 8, imm(SIGNALS.SIGCHLD));
  writer.syscall("clone3", at(args), imm(88));
  writer.if("acc", "lt", imm(0), failed);
  writer.if("acc", "ne", imm(0), parent);

  enter(stopped);
  writer.set(step, imm(number));
  clone();
  writer.if("acc", "eq", imm(0), child);
  writer.label(stopped);
  writer.set(pid, "acc");
  writer.store(slot(SHARED), 8, 8, slot(step));
  writer.store(slot(SHARED), 0, 8, slot(pid));
  writer.syscall("exit_group", imm(0));

  writer.label(parent);
  writer.set("helper", "acc");
  writer.syscall("wait4", slot("helper"), at(STATUS), imm(0), imm(0));
  writer.load(pid, slot(SHARED), 0, 8);
  writer.load(step, slot(SHARED), 8, 8);
  writer.syscall("munmap", slot(SHARED), imm(4096));
  writer.recall(pid);
  writer.if("acc", "lt", imm(0), failed);
  // Killed from outside before it got that far.
  writer.if("acc", "ne", imm(0), done);
  writer.set(pid, imm(-3));
  writer.recall(pid);
  writer.jump(failed);
  writer.label(child);
  writer.syscall("munmap", slot(SHARED), imm(4096));
  writer.set(pid, imm(0));
  writer.label(done);
}

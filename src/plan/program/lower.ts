import { ERRNO, type ErrnoName } from "../../kernel/errno.ts";
import { CLONE } from "../../kernel/flags.ts";
import { SIGNALS } from "../../kernel/signals.ts";
import type {
  Attempt,
  AwaitExec,
  Call,
  Clone,
  Data,
  Escort,
  Exec,
  Hook,
  Init,
  Keep,
  Netlink,
  Numbered,
  Plan,
  Receive,
  Relay,
  Slot,
  Step,
} from "../step.ts";
import { SYNC, SYNC_PARENT } from "../step.ts";
import { lowerWaiting } from "./console.ts";
import { lowerDecimal } from "./decimal.ts";
import { endChild, lowerExec } from "./exec.ts";
import { lowerExpect } from "./expect.ts";
import { lowerHelper } from "./helper.ts";
import { lowerHook } from "./hook.ts";
import { keepLoop, leaveReleased } from "./keeper.ts";
import { lowerLookup } from "./lookup.ts";
import { lowerDump, lowerNetlink } from "./netlink.ts";
import type { LowerOptions, NumberedStep, Side } from "./numbered.ts";
import { operandOf } from "./operand.ts";
import type { Operand } from "./ops.ts";
import { lowerRelay } from "./relay.ts";
import { REPORT_MEMORY, sendReport, startReport } from "./report.ts";
import { lowerRetry } from "./retry.ts";
import { lowerAsk, lowerReceive, lowerTell, SYNC_MESSAGE } from "./sync.ts";
import { isRow, isUnchecked, LEAST_ROWS } from "./table.ts";
import { openTrace, stamp } from "./trace.ts";
import { lowerUserMap } from "./users.ts";
import { at, imm, slot, Writer } from "./writer.ts";

/** Where a failed step and its error are kept until they are reported. */
const FAILED_STEP = "failed-step";
const FAILED_ERROR = "failed-error";
/** 1 when the undo chain runs because all is over, not because a step failed. */
const RELEASED = "released";

/** Turn a plan into operations. Returns the steps by number, so that a record can be understood. */
export function lower(plan: Plan, options: LowerOptions): { writer: Writer; steps: readonly NumberedStep[] } {
  const lowering = new Lowering(
    options,
    plan.steps.find((step) => step.kind === "keep"),
    plan.failures,
  );
  lowering.program(plan.steps);
  return { writer: lowering.writer, steps: lowering.steps };
}

class Lowering {
  readonly writer = new Writer();
  readonly steps: NumberedStep[] = [];
  readonly #undos: (readonly Call[])[] = [];
  readonly #options: LowerOptions;
  readonly #keep: Keep | undefined;
  readonly #told: Operand;
  /** Lengths of the undo chain at which a step can fail. */
  readonly #failures = new Set<number>();
  #childCanFail = false;
  /** Where a call of a process goes that is neither keeper nor container. */
  #elsewhereFailed: string | undefined;
  #hasChild = false;
  /** Undos of the steps before the child is made. */
  #undosBeforeClone = 0;
  #side: Side = "keeper";

  constructor(options: LowerOptions, keep: Keep | undefined, failures: Slot | undefined) {
    this.#options = options;
    this.#keep = keep;
    this.#told = failures === undefined ? imm(2) : slot(failures);
  }

  program(steps: readonly Step[]): void {
    const { writer } = this;
    if (this.#options.trace !== undefined) openTrace(writer, this.#options.trace, steps);
    this.#steps(steps);
    writer.syscall("exit_group", imm(0));
    for (const count of this.#failures) {
      writer.label(`failed.${count}`);
      writer.set(FAILED_ERROR, "acc");
      if (this.#hasChild && count > this.#undosBeforeClone) lowerAsk(writer, FAILED_STEP, FAILED_ERROR);
      writer.jump(`undo.${count}`);
    }
    this.#released();
    for (let count = this.#undos.length; count > 0; count--) {
      writer.label(`undo.${count}`);
      for (const undo of this.#undos[count - 1]!) this.#bareCall(undo);
    }
    writer.label("undo.0");
    this.#leaveReleased();
    this.#reportFailure();
    // For a failure that could not be reported.
    writer.set("exit-code", imm(0));
    writer.subtract("exit-code", slot(FAILED_ERROR));
    writer.syscall("exit_group", slot("exit-code"));
    if (this.#childCanFail) this.#childFailed();
  }

  /** A released keeper undoes what was done before the clone: what came after died with the container. */
  #released(): void {
    if (this.#keep === undefined) return;
    this.writer.label("released");
    this.writer.set(RELEASED, imm(1));
    this.writer.jump(`undo.${this.#undosBeforeClone}`);
  }

  #leaveReleased(): void {
    if (this.#keep === undefined) return;
    const failed = this.writer.fresh("not-released");
    this.writer.if(slot(RELEASED), "ne", imm(1), failed);
    leaveReleased(this.writer, this.#keep.keeper);
    this.writer.label(failed);
  }

  /** Steps one after the other, as many in one table as can be. */
  #steps(steps: readonly Step[]): void {
    let rows: Call[] = [];
    for (const step of steps) {
      if (this.#isRow(step, this.steps.length + rows.length)) rows.push(step);
      else {
        this.#rows(rows);
        rows = [];
        this.#step(step);
      }
    }
    this.#rows(rows);
  }

  #isRow(step: Step, number: number): step is Call {
    const { inject, trace } = this.#options;
    return trace === undefined && inject?.step !== number && isRow(step, this.#side === "keeper");
  }

  #rows(calls: readonly Call[]): void {
    if (calls.length < LEAST_ROWS) {
      for (const call of calls) this.#call(call);
      return;
    }
    this.writer.set(FAILED_STEP, imm(this.steps.length));
    for (const call of calls) this.#number(call);
    this.writer.calls(calls, FAILED_STEP, this.#failure());
  }

  #step(step: Step): void {
    if (step.kind === "attempt") this.#attempt(step);
    else if (step.kind === "call") this.#call(step);
    else if (step.kind === "clone") this.#clone(step);
    else if (step.kind === "awaitExec") this.#awaitExec(step);
    else if (step.kind === "receive") this.#receive(step);
    else if (step.kind === "hook") this.#hook(step);
    else if (step.kind === "userMap")
      this.#lowered(step, (number, failed) => lowerUserMap(this.writer, step, number, failed));
    else if (step.kind === "expect")
      this.#lowered(step, (_, failed) => lowerExpect(this.writer, step, failed));
    else if (step.kind === "exec") this.#exec(step);
    else if (step.kind === "decimal") lowerDecimal(this.writer, step);
    else if (step.kind === "load") this.writer.load(step.into, at(step.from), step.offset, step.size);
    else if (step.kind === "store") this.writer.store(at(step.to), step.offset, step.size, slot(step.slot));
    else if (step.kind === "netlink") this.#netlink(step);
    else if (step.kind === "dump") this.#lowered(step, (_, failed) => lowerDump(this.writer, step, failed));
    else if (step.kind === "lookup")
      this.#lowered(step, (_, failed) => lowerLookup(this.writer, step, failed));
    else this.#end(step);
  }

  /** A step that nothing comes after. */
  #end(step: Init | Escort | Relay | Keep): void {
    this.#number(step);
    if (step.kind === "keep") keepLoop(this.writer, step.keeper);
    else if (step.kind === "relay") lowerRelay(this.writer, step);
    else lowerWaiting(this.writer, step);
  }

  #netlink(step: Netlink): void {
    const numbers = step.messages.map((message) => this.#number(message));
    const injected = numbers.find((number) => number === this.#options.inject?.step);
    this.writer.set(FAILED_STEP, imm(injected ?? numbers[0] ?? 0));
    if (injected !== undefined) {
      this.#injected(injected);
      this.writer.jump(this.#failure());
      return;
    }
    lowerNetlink(this.writer, step, FAILED_STEP, this.#failure());
    for (const number of numbers) this.#stamp(number);
  }

  #number(step: Numbered): number {
    this.steps.push({ step, side: this.#side });
    return this.steps.length - 1;
  }

  #bareCall(step: Call): void {
    this.writer.syscall(step.call, ...step.args.map(operandOf));
  }

  #call(step: Call, skipTo?: string, tolerate: readonly ErrnoName[] = step.tolerate ?? []): void {
    const { writer } = this;
    const number = this.#number(step);
    // A fifth of a program's calls are such: they need no more.
    if (isUnchecked(step) && number !== this.#options.inject?.step) {
      this.#bareCall(step);
      this.#stamp(number);
      return;
    }
    writer.set(FAILED_STEP, imm(number));
    if (!this.#injected(number)) {
      if (step.retry === true) lowerRetry(writer, () => this.#bareCall(step));
      else this.#bareCall(step);
    }
    // A failure leaves the slot as it was: it may be the socket over which the failure is told.
    if (tolerate.length === 0) writer.if("acc", "lt", imm(0), this.#failure());
    if (step.result !== undefined) writer.set(step.result, "acc");
    if (tolerate.length > 0) this.#unless(tolerate, skipTo);
    this.#stamp(number);
    if (step.undo !== undefined && this.#side === "keeper") this.#undos.push(step.undo);
  }

  /** After a call: go on, go on at `skipTo` for tolerated errors, or fail. */
  #unless(tolerate: readonly ErrnoName[], skipTo: string | undefined): void {
    const { writer } = this;
    const done = writer.fresh("done");
    writer.if("acc", "ge", imm(0), done);
    for (const name of tolerate) writer.if("acc", "eq", imm(-ERRNO[name]), skipTo ?? done);
    writer.jump(this.#failure());
    writer.label(done);
  }

  /** Where to go with an error in the accumulator: the way that undoes what is done so far. */
  #failure(): string {
    if (this.#elsewhereFailed !== undefined) return this.#elsewhereFailed;
    if (this.#side === "container") {
      this.#childCanFail = true;
      return "child-failed";
    }
    this.#failures.add(this.#undos.length);
    return `failed.${this.#undos.length}`;
  }

  #attempt(step: Attempt): void {
    const [first, ...rest] = step.steps;
    if (first === undefined) return;
    if (first.kind !== "call") throw new Error("An attempt begins with a call");
    const skip = this.writer.fresh("skip");
    this.#call(first, skip, step.tolerate);
    this.#steps(rest);
    const end = this.writer.fresh("end");
    if (step.otherwise !== undefined) this.writer.jump(end);
    this.writer.label(skip);
    this.#steps(step.otherwise ?? []);
    this.writer.label(end);
  }

  /** An injected failure takes the place of the call. */
  #injected(number: number): boolean {
    const { inject } = this.#options;
    if (inject?.step !== number) return false;
    this.writer.set("injected", imm(-ERRNO[inject.errno]));
    this.writer.recall("injected");
    return true;
  }

  #clone(step: Clone): void {
    const { writer } = this;
    const number = this.#number(step);
    // struct clone_args (linux/sched.h): flags, pidfd, child_tid, parent_tid, exit_signal, …, cgroup.
    const args: Data = { kind: "space", size: 88, name: `clone-args.${number}` };
    const intoCgroup = 0x200000000n;
    const sibling = step.via === undefined ? 0n : BigInt(CLONE.PARENT);
    writer.store(at(args), 0, 8, imm(step.flags | sibling | (step.cgroup === undefined ? 0n : intoCgroup)));
    // A sibling has the exit signal of the helper.
    writer.store(at(args), 32, 8, imm(step.via === undefined ? SIGNALS.SIGCHLD : 0));
    if (step.cgroup !== undefined) writer.store(at(args), 80, 8, slot(step.cgroup));
    const parent = writer.fresh("parent");
    writer.set(FAILED_STEP, imm(number));
    const { pid, via } = step;
    const injected = this.#injected(number);
    if (injected || via === undefined) {
      if (!injected) writer.syscall("clone3", at(args), imm(88));
      writer.set(pid, "acc");
      writer.if("acc", "lt", imm(0), this.#failure());
    } else {
      const helped = { number, pid, step: FAILED_STEP, failed: this.#failure() };
      const enter = (stopped: string) => this.#elsewhere(via, stopped);
      lowerHelper(writer, helped, enter, () => writer.syscall("clone3", at(args), imm(88)));
    }
    writer.if(slot(pid), "ne", imm(0), parent);
    const outer = this.#side;
    this.#side = "container";
    this.#steps(step.child);
    writer.syscall("exit_group", imm(0));
    this.#side = outer;
    writer.label(parent);
    this.#stamp(number);
    if (outer === "keeper") {
      this.#hasChild = true;
      if (step.undo !== undefined) this.#undos.push(step.undo);
      this.#undosBeforeClone = this.#undos.length;
      this.#undos.push(endChild(pid));
    }
  }

  /** Read one message of the child; end of file means that it executed its program. */
  #awaitExec(step: AwaitExec): void {
    const { writer } = this;
    const number = this.#number(step);
    const done = writer.fresh("done");
    writer.set(FAILED_STEP, imm(number));
    if (!this.#injected(number))
      writer.syscall("read", slot(SYNC_PARENT), at(SYNC_MESSAGE), imm(SYNC_MESSAGE.size));
    writer.if("acc", "lt", imm(0), this.#failure());
    writer.if("acc", "eq", imm(0), done);
    this.#takeFailure();
    writer.label(done);
    this.#stamp(number);
  }

  #takeFailure(): void {
    this.writer.load(FAILED_STEP, at(SYNC_MESSAGE), 8, 8);
    this.writer.load(FAILED_ERROR, at(SYNC_MESSAGE), 16, 8);
    this.writer.recall(FAILED_ERROR);
    this.writer.jump(this.#failure());
  }

  #receive(step: Receive): void {
    const { writer } = this;
    const number = this.#number(step);
    writer.set(FAILED_STEP, imm(number));
    const injected = this.#injected(number);
    const end = this.#side === "keeper" ? SYNC_PARENT : SYNC;
    lowerReceive(writer, injected ? undefined : end, step.into, this.#failure(), () => this.#takeFailure());
    this.#stamp(number);
  }

  #hook(step: Hook): void {
    this.#lowered(step, (number, failed) =>
      lowerHook(this.writer, step, number, failed, (stopped) => {
        this.#elsewhere(step.prepare, stopped);
        this.writer.set(FAILED_STEP, imm(number));
      }),
    );
  }

  /** Steps of a process that tells its failure in a way of its own. */
  #elsewhere(steps: readonly Step[], failed: string): void {
    this.#elsewhereFailed = failed;
    this.#steps(steps);
    this.#elsewhereFailed = undefined;
  }

  /** A step whose operations are elsewhere: they go to `failed` with an error in the accumulator. */
  #lowered(step: Numbered, operations: (number: number, failed: string) => void): void {
    const number = this.#number(step);
    this.writer.set(FAILED_STEP, imm(number));
    if (this.#injected(number)) this.writer.if("acc", "lt", imm(0), this.#failure());
    else operations(number, this.#failure());
    this.#stamp(number);
  }

  #exec(step: Exec): void {
    const number = this.#number(step);
    this.writer.set(FAILED_STEP, imm(number));
    lowerExec(this.writer, step, () => this.#injected(number), this.#failure());
  }

  #reportFailure(): void {
    const { writer } = this;
    if (this.#keep !== undefined) {
      startReport(writer, this.#keep.keeper, "failed", slot(FAILED_STEP), slot(FAILED_ERROR));
      sendReport(writer, this.#keep.keeper);
      return;
    }
    writer.store(at(REPORT_MEMORY), 0, 8, slot(FAILED_STEP));
    writer.store(at(REPORT_MEMORY), 8, 8, slot(FAILED_ERROR));
    writer.syscall("write", this.#told, at(REPORT_MEMORY), imm(16));
  }

  #childFailed(): void {
    const { writer } = this;
    writer.label("child-failed");
    writer.set(FAILED_ERROR, "acc");
    lowerTell(writer, FAILED_STEP, FAILED_ERROR);
    writer.syscall("exit_group", imm(1));
  }

  #stamp(number: number): void {
    if (this.#options.trace !== undefined) stamp(this.writer, number);
  }
}

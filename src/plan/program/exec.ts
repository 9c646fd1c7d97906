import { ERRNO } from "../../kernel/errno.ts";
import { SIGNALS } from "../../kernel/signals.ts";
import { stringArray } from "../build.ts";
import type { Arg, Call, Exec, Slot } from "../step.ts";
import { at, imm, type Writer } from "./writer.ts";

/** `execve` of each candidate until one is there, as execvp(3) does it; `injected` takes the place of a call. */
export function lowerExec(writer: Writer, step: Exec, injected: () => boolean, failed: string): void {
  const argv = stringArray(step.argv);
  const env = stringArray(step.env);
  writer.set("exec-error", imm(-ERRNO.ENOENT));
  for (const candidate of step.candidates) {
    const next = writer.fresh("next");
    const denied = writer.fresh("denied");
    if (!injected()) writer.syscall("execve", at({ kind: "text", text: candidate }), at(argv), at(env));
    writer.if("acc", "eq", imm(-ERRNO.ENOENT), next);
    writer.if("acc", "eq", imm(-ERRNO.ENOTDIR), next);
    writer.if("acc", "eq", imm(-ERRNO.EACCES), denied);
    writer.jump(failed);
    writer.label(denied);
    writer.set("exec-error", "acc");
    writer.label(next);
  }
  writer.recall("exec-error");
  writer.jump(failed);
}

/** What takes the clone of a container's first process back. */
export function endChild(child: Slot): readonly Call[] {
  const pid: Arg = { kind: "slot", slot: child };
  const numberArg = (value: number): Arg => ({ kind: "number", value });
  const none = [numberArg(0), numberArg(0), numberArg(0)];
  const end = "end the container's first process";
  return [
    { kind: "call", call: "kill", args: [pid, numberArg(SIGNALS.SIGKILL)], why: end },
    { kind: "call", call: "wait4", args: [pid, ...none], why: "reap it" },
    // Beside an init, in the machine's pid namespace, the workload dies with it and is handed to the keeper.
    { kind: "call", call: "wait4", args: [numberArg(-1), ...none], why: "reap its child" },
  ];
}

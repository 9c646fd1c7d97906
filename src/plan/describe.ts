import type { Word } from "../kernel/netlink/message.ts";
import { callName } from "./error.ts";
import type { Arg, Data, Numbered, Step } from "./step.ts";

/** What people are told of a step, whether it is explained or has been traced. */
export interface StepFacts {
  /** The kernel call behind it. */
  readonly call: string;
  /** The call as people write it, as in a trace. */
  readonly text: string;
  readonly why: string;
  /** The option that caused it, as typed. */
  readonly option?: string;
}

/** A step in words. */
export function stepFacts(step: Numbered): StepFacts {
  const { option, why } = step;
  const facts = { call: callName(step), text: describeStep(step), why };
  return option === undefined ? facts : { ...facts, option };
}

/** A step as a call, the way strace(1) would print it. */
export function describeStep(step: Step | Numbered): string {
  switch (step.kind) {
    case "call": {
      const result = step.result === undefined ? "" : ` = <${step.result}>`;
      return `${step.call}(${step.args.map(describeArgument).join(", ")})${result}`;
    }
    case "clone": {
      const flags = [step.flagsText, ...(step.cgroup === undefined ? [] : ["CLONE_INTO_CGROUP"])];
      return `clone3(${flags.filter((text) => text !== "0").join("|") || "0"}) = <${step.pid}>`;
    }
    case "expect":
      return `expect ${step.is === "eq" ? "" : "anything but "}0x${step.value.toString(16)} at ${step.offset} of what it says`;
    case "userMap":
      return `clone3(CLONE_NEWUSER), write maps, open its namespace = <${step.into}>`;
    case "exec": {
      const path = step.candidates.length > 1 ? ", or along PATH" : "";
      return `execve(${quoted(step.candidates[0] ?? "")}${path}, [${step.argv.map(quoted).join(", ")}], ${step.env.length} variables)`;
    }
    case "awaitExec":
      return "read(<sync>): end of file once execve has happened";
    case "lookup": {
      const path = step.candidates.length > 1 ? ", or along PATH" : "";
      return `faccessat(AT_FDCWD, ${quoted(step.candidates[0] ?? "")}${path}, X_OK)`;
    }
    case "receive":
      return step.into === undefined ? "recvmsg(<sync>)" : `recvmsg(<sync>) = <${step.into}>`;
    case "hook": {
      const limit = step.timeout === undefined ? "" : `, at most ${step.timeout} s`;
      return `clone3, execve(${quoted(step.path)}, [${step.argv.map(quoted).join(", ")}]), wait4${limit}`;
    }
    case "keep":
      return "ppoll(exits, orders of the engine)";
    case "escort":
      if (step.terminal !== undefined) return `ppoll(signals, 0, <${step.terminal.master}>), wait4`;
      return "read(signals), kill, wait4";
    case "init":
      return "read(signals), kill, wait4";
    case "relay":
      return `read(0), sendto(<${step.socket}>), write(1)`;
    case "attempt":
      return step.steps[0] === undefined ? "" : describeStep(step.steps[0]);
    case "netlink":
      return step.messages.map(describeStep).join("; ");
    case "message":
      return commandText(step.request.words);
    case "dump":
      return `${commandText(step.request.words)} >&1`;
    case "decimal":
      return `write ${step.prefix}<${step.slot}>${step.suffix} to memory`;
    case "load":
      return `load <${step.into}> from memory`;
    case "store":
      return `store <${step.slot}> in memory`;
  }
}

/** A command as people type it, slots in angle brackets. */
export function commandText(words: readonly Word[]): string {
  return words.map((word) => (typeof word === "string" ? word : `<${word.slot}>`)).join(" ");
}

function describeArgument(arg: Arg): string {
  switch (arg.kind) {
    case "number":
      return arg.text ?? String(arg.value);
    case "slot":
      return `<${arg.slot}>`;
    case "slotAddress":
      return `&<${arg.slot}>`;
    case "data":
      return arg.text === undefined ? describeData(arg.data) : described(arg.data, arg.text);
  }
}

/** What people call the memory: quoted where it is a string, in braces where it is a struct. */
function described(data: Data, text: string): string {
  return data.kind === "struct" ? `{${text}}` : data.kind === "text" ? quoted(data.text) : text;
}

/** A struct nobody has named is shown by its size and by what it points to. */
function describeData(data: Data): string {
  switch (data.kind) {
    case "text":
      return quoted(data.text);
    case "bytes":
      return `${data.bytes.length} bytes`;
    case "space":
      return data.name ?? `${data.size} bytes`;
    case "struct": {
      const size = data.fields.reduce(
        (sum, field) => sum + (field instanceof Uint8Array ? field.length : 8),
        0,
      );
      const pointed = data.fields.flatMap((field) =>
        field instanceof Uint8Array || "slot" in field.pointer ? [] : [`&${describeData(field.pointer)}`],
      );
      return `{${[`${size} bytes`, ...pointed].join(", ")}}`;
    }
  }
}

const LONGEST = 400;

/** As C would write it, cut where it would fill the screen. */
function quoted(text: string): string {
  return text.length > LONGEST
    ? `${JSON.stringify(text.slice(0, LONGEST))}… (${text.length} characters)`
    : JSON.stringify(text);
}

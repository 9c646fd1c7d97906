import type { SyscallName } from "../kernel/arch.ts";
import type { Arg, Call, Data, Field, Reason, Slot } from "./step.ts";

/** A number as an argument; `text` is how people write it. Negative numbers are sign-extended to 64 bits. */
export function num(value: number | bigint, text?: string): Arg {
  return text === undefined ? { kind: "number", value } : { kind: "number", value, text };
}

/** A string as a NUL-terminated pointer argument. */
export function str(value: string): Arg {
  return { kind: "data", data: { kind: "text", text: value } };
}

/** Memory as a pointer argument. */
export function mem(data: Data, text?: string): Arg {
  return text === undefined ? { kind: "data", data } : { kind: "data", data, text };
}

/** What an earlier call returned. */
export function from(slot: Slot): Arg {
  return { kind: "slot", slot };
}

/** Zeroed memory for calls to write to; the same name is the same memory. */
export function space(size: number, name: string): Extract<Data, { kind: "space" }> {
  return { kind: "space", size, name };
}

/** A C struct from its fields in order. */
export function struct(fields: readonly Field[], name?: string): Data {
  return name === undefined ? { kind: "struct", fields } : { kind: "struct", fields, name };
}

/** Little-endian 32-bit integers, for struct fields. */
export function u32(...values: number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values, (value) => value >>> 0).buffer);
}

/** Little-endian 64-bit integers, for struct fields. */
export function u64(...values: (number | bigint)[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(values, (value) => BigInt.asUintN(64, BigInt(value))).buffer);
}

/** A NULL-terminated array of strings, as `execve` takes. */
export function stringArray(values: readonly string[]): Data {
  return struct([...values.map((text): Field => ({ pointer: { kind: "text", text } })), u64(0)]);
}

type Extra = Pick<Partial<Call>, "result" | "retry" | "tolerate" | "undo">;

/** One kernel call as a step. */
export function call(
  name: SyscallName,
  args: readonly Arg[],
  reason: Reason | string,
  extra: Extra = {},
): Call {
  const because = typeof reason === "string" ? { why: reason } : reason;
  return { kind: "call", call: name, args, ...because, ...extra };
}

/** Closing a descriptor that may not be open any more: harmless twice. */
export function close(slot: Slot, why: string): Call {
  return call("close", [from(slot)], why, { tolerate: ["EBADF"] });
}

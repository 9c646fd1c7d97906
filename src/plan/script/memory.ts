import type { Arg, Call, Data } from "../step.ts";

/** What a call is given, read back from a plan. */

/** The bytes of memory as far as they are known before it runs; pointers and slots are zeros. */
export function bytesOf(data: Data): Uint8Array {
  switch (data.kind) {
    case "bytes":
      return data.bytes;
    case "text":
      return new TextEncoder().encode(data.text);
    case "space":
      return new Uint8Array(data.size);
    case "struct":
      return Buffer.concat(
        data.fields.map((field) => (field instanceof Uint8Array ? field : new Uint8Array(8))),
      );
  }
}

/** Everything that memory points to, itself included. */
export function reachable(data: Data): readonly Data[] {
  if (data.kind !== "struct") return [data];
  const below = data.fields.flatMap((field) =>
    field instanceof Uint8Array || "slot" in field.pointer ? [] : reachable(field.pointer),
  );
  return [data, ...below];
}

/** Little-endian 64-bit words. */
export function words64(data: Data): readonly bigint[] {
  const bytes = bytesOf(data);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length >> 3 }, (_, index) => view.getBigUint64(index * 8, true));
}

/** Little-endian 32-bit words. */
export function words32(data: Data): readonly number[] {
  const bytes = bytesOf(data);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length >> 2 }, (_, index) => view.getUint32(index * 4, true));
}

function argument(call: Call, index: number): Arg {
  const arg = call.args[index];
  if (arg === undefined) throw new Error(`Cannot read argument ${index} of ${call.call}: there is none`);
  return arg;
}

/** An argument that is a number. */
export function numberAt(call: Call, index: number): number {
  const arg = argument(call, index);
  if (arg.kind !== "number")
    throw new Error(`Cannot read argument ${index} of ${call.call}: it is no number`);
  return Number(arg.value);
}

/** An argument that is memory. */
export function dataAt(call: Call, index: number): Data {
  const arg = argument(call, index);
  if (arg.kind !== "data") throw new Error(`Cannot read argument ${index} of ${call.call}: it is no memory`);
  return arg.data;
}

/** An argument that is text; empty for a null pointer. */
export function textAt(call: Call, index: number): string {
  const arg = argument(call, index);
  if (arg.kind === "number" && Number(arg.value) === 0) return "";
  const data = dataAt(call, index);
  if (data.kind !== "text") throw new Error(`Cannot read argument ${index} of ${call.call}: it is no text`);
  return data.text;
}

/** The slot of an argument; undefined where it is something else. */
export function slotAt(call: Call, index: number): string | undefined {
  const arg = argument(call, index);
  return arg.kind === "slot" ? arg.slot : undefined;
}

import { Reader, type Value, Writer } from "./marshal.ts";

/** Messages of D-Bus (specification, "Message Format"), as far as asking systemd for units needs them. */

/** What a call says. */
export interface Call {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  /** Types of `body`, and the values. */
  readonly signature: string;
  readonly body: readonly Value[];
}

/** What comes back: an answer, a refusal, or a signal. */
export interface Incoming {
  readonly kind: "return" | "error" | "signal" | "call";
  /** Of the call that it answers. */
  readonly replyTo?: number;
  readonly interface: string;
  readonly member: string;
  readonly error: string;
  readonly body: readonly Value[];
}

const LITTLE = 0x6c;
const VERSION = 1;
const CALL = 1;
const KINDS = ["call", "return", "error", "signal"] as const;
/** Fields of the header, by their numbers. */
const FIELD = {
  PATH: 1,
  INTERFACE: 2,
  MEMBER: 3,
  ERROR_NAME: 4,
  REPLY_SERIAL: 5,
  DESTINATION: 6,
  SIGNATURE: 8,
} as const;
/** Bytes before the fields: type and lengths, the length of the fields included. */
const FIXED = 16;
/** The specification allows 128 MiB; nothing that is asked for here has more than a few kilobytes. */
const LARGEST = 1024 * 1024;

/** A method call as bytes. */
export function encodeCall(call: Call, serial: number): Uint8Array {
  const body = new Writer();
  body.all(call.signature, call.body);
  const fields: Value[] = [
    [FIELD.PATH, { type: "o", value: call.path }],
    [FIELD.INTERFACE, { type: "s", value: call.interface }],
    [FIELD.MEMBER, { type: "s", value: call.member }],
    [FIELD.DESTINATION, { type: "s", value: call.destination }],
    ...(call.signature === "" ? [] : [[FIELD.SIGNATURE, { type: "g", value: call.signature }]]),
  ];
  const head = new Writer();
  head.all("yyyyuua(yv)", [LITTLE, CALL, 0, VERSION, body.length, serial, fields]);
  head.align(8);
  return Buffer.concat([head.bytes(), body.bytes()]);
}

/**
 * The first message of `bytes` and how long it is; undefined where there is not yet a whole one.
 * @throws Error for what is no message, or one that is far too large
 */
export function decodeMessage(bytes: Buffer): { message: Incoming; length: number } | undefined {
  if (bytes.length < FIXED) return undefined;
  const big = bytes[0] !== LITTLE;
  const bodyLength = big ? bytes.readUInt32BE(4) : bytes.readUInt32LE(4);
  const fieldsLength = big ? bytes.readUInt32BE(12) : bytes.readUInt32LE(12);
  const bodyAt = (FIXED + fieldsLength + 7) & ~7;
  if (bytes[3] !== VERSION || bodyAt + bodyLength > LARGEST)
    throw new Error("what came is no message of D-Bus");
  const length = bodyAt + bodyLength;
  if (bytes.length < length) return undefined;
  const listed = new Reader(bytes.subarray(0, bodyAt), big, 12).all("a(yv)")[0] as readonly Value[];
  const fields = new Map(listed.map((each) => each as readonly [number, Value]));
  const word = (field: number) => String(fields.get(field) ?? "");
  const replyTo = fields.get(FIELD.REPLY_SERIAL);
  const body = new Reader(bytes.subarray(bodyAt, length), big).all(word(FIELD.SIGNATURE));
  return {
    length,
    message: {
      kind: KINDS[(bytes[1] ?? 0) - 1] ?? "signal",
      ...(typeof replyTo === "number" ? { replyTo } : {}),
      interface: word(FIELD.INTERFACE),
      member: word(FIELD.MEMBER),
      error: word(FIELD.ERROR_NAME),
      body,
    },
  };
}

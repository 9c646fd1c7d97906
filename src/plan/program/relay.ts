import type { Data, Relay } from "../step.ts";
import { at, imm, slot, type Writer } from "./writer.ts";

/** sendto(2): who listens no more must not end the relay. */
const MSG_NOSIGNAL = 0x4000;
const LENGTH: Data = { kind: "space", size: 8, name: "relay-length" };
const RESULT: Data = { kind: "space", size: 8, name: "relay-result" };

/** Where the next bytes go, and how many are still to be read. */
const AT = "relay-at";
const LEFT = "relay-left";

/** The loop of a relay: one message after the other, each answered with what became of it. */
export function lowerRelay(writer: Writer, step: Relay): void {
  const message: Data = { kind: "space", size: step.size, name: "relay-message" };
  const loop = writer.fresh("relay");
  const end = writer.fresh("relay-end");
  writer.label(loop);
  writer.set(AT, at(LENGTH));
  writer.set(LEFT, imm(4));
  readAll(writer, end);
  writer.load("relay-size", at(LENGTH), 0, 4);
  // One more than fits: the other side does not keep to what was agreed.
  writer.if(slot("relay-size"), "ge", imm(step.size + 1), end);
  writer.set(AT, at(message));
  writer.set(LEFT, slot("relay-size"));
  readAll(writer, end);
  writer.syscall(
    "sendto",
    slot(step.socket),
    at(message),
    slot("relay-size"),
    imm(MSG_NOSIGNAL),
    at(step.address),
    imm(step.addressLength),
  );
  writer.store(at(RESULT), 0, 8, "acc");
  writer.syscall("write", imm(1), at(RESULT), imm(8));
  writer.jump(loop);
  writer.label(end);
  writer.syscall("exit_group", imm(0));
}

/** Reads until nothing is left to be read, or goes to `end` where the input ends. */
function readAll(writer: Writer, end: string): void {
  const next = writer.fresh("relay-read");
  const done = writer.fresh("relay-read-done");
  writer.label(next);
  writer.if(slot(LEFT), "eq", imm(0), done);
  writer.syscall("read", imm(0), slot(AT), slot(LEFT));
  writer.if("acc", "lt", imm(1), end);
  writer.set("relay-moved", "acc");
  writer.add(AT, slot("relay-moved"));
  writer.subtract(LEFT, slot("relay-moved"));
  writer.jump(next);
  writer.label(done);
}

import { ERRNO } from "../../kernel/errno.ts";
import { batch, dump, ERROR, NLMSG, SEQUENCE } from "../../kernel/netlink/message.ts";
import type { Data, Netlink, NetlinkDump, Slot } from "../step.ts";
import { at, imm, slot, type Writer } from "./writer.ts";

/** An answer begins with `struct nlmsghdr` and `struct nlmsgerr`; the rest of it is cut off. */
const ANSWER: Data = { kind: "space", size: 64, name: "netlink-answer" };
/** The kernel gives as much of a list at once as there is room for, up to 32 KiB (netlink_recvmsg). */
const LIST: Data = { kind: "space", size: 32768, name: "netlink-list" };
/** What an error has been zero-extended by. */
const WORD = 0x1_0000_0000;

/**
 * Send a batch and read answers until the last message's: refused ones come before it, in their order. `step` gets the
 * number of the refused message added, and `failure` is where to go with the error.
 */
export function lowerNetlink(writer: Writer, batchStep: Netlink, step: Slot, failure: string): void {
  const { messages, name, protocol, socket } = batchStep;
  const { bytes, holes } = batch(
    protocol,
    messages.map(({ request }) => request),
  );
  const last = messages.length - 1;
  const data: Data = { kind: "struct", fields: [bytes], ...(name === undefined ? {} : { name }) };
  for (const hole of holes) writer.store(at(data), hole.offset, 4, slot(hole.slot));
  const again = writer.fresh("answers");
  const done = writer.fresh("answered");
  writer.syscall("sendto", slot(socket), at(data), imm(bytes.length), imm(0), imm(0), imm(0));
  writer.if("acc", "lt", imm(0), failure);
  writer.label(again);
  writer.syscall("recvfrom", slot(socket), at(ANSWER), imm(64), imm(0), imm(0), imm(0));
  writer.if("acc", "lt", imm(0), failure);
  takeError(writer, at(ANSWER));
  writer.if(slot("netlink-error"), "eq", imm(0), done);
  writer.load("netlink-message", at(ANSWER), SEQUENCE, 4);
  for (const [index, { tolerate = [] }] of messages.entries()) {
    if (tolerate.length === 0) continue;
    const other = writer.fresh("other-message");
    writer.if(slot("netlink-message"), "ne", imm(index), other);
    const next = index === last ? done : again;
    for (const errno of tolerate) writer.if(slot("netlink-error"), "eq", imm(-ERRNO[errno]), next);
    writer.label(other);
  }
  writer.add(step, slot("netlink-message"));
  writer.recall("netlink-error");
  writer.jump(failure);
  writer.label(done);
}

/** The error of an answer, negative, or 0. */
function takeError(writer: Writer, base: ReturnType<typeof at>): void {
  const none = writer.fresh("no-error");
  writer.load("netlink-error", base, ERROR, 4);
  writer.if(slot("netlink-error"), "eq", imm(0), none);
  writer.add("netlink-error", imm(-WORD));
  writer.label(none);
}

/** Copy a list to descriptor 1 until its last message, `NLMSG_DONE`, which may end any of the answers. */
export function lowerDump(writer: Writer, { request, socket }: NetlinkDump, failure: string): void {
  const { bytes } = dump(request);
  const data: Data = { kind: "struct", fields: [bytes] };
  const again = writer.fresh("list");
  const walk = writer.fresh("message");
  const entry = writer.fresh("entry");
  const done = writer.fresh("listed");
  const sent = writer.fresh("sent");
  writer.syscall("sendto", slot(socket), at(data), imm(bytes.length), imm(0), imm(0), imm(0));
  writer.if("acc", "lt", imm(0), failure);
  writer.label(again);
  writer.syscall("recvfrom", slot(socket), at(LIST), imm(32768), imm(0), imm(0), imm(0));
  writer.if("acc", "lt", imm(0), failure);
  writer.set("list-left", "acc");
  writer.set("list-at", at(LIST));
  // A pipe may take it in pieces.
  writer.set("list-unsent", "acc");
  writer.set("list-from", at(LIST));
  writer.label(sent);
  writer.syscall("write", imm(1), slot("list-from"), slot("list-unsent"));
  writer.if("acc", "lt", imm(0), failure);
  writer.set("list-written", "acc");
  writer.add("list-from", slot("list-written"));
  writer.subtract("list-unsent", slot("list-written"));
  writer.if(slot("list-unsent"), "ne", imm(0), sent);
  writer.label(walk);
  writer.if(slot("list-left"), "lt", imm(16), again);
  writer.load("list-type", slot("list-at"), 4, 2);
  writer.if(slot("list-type"), "eq", imm(NLMSG.DONE), done);
  writer.if(slot("list-type"), "ne", imm(NLMSG.ERROR), entry);
  takeError(writer, slot("list-at"));
  writer.recall("netlink-error");
  writer.jump(failure);
  writer.label(entry);
  // Lengths of listed messages are multiples of four: all that is in them is attributes (nla_put).
  writer.load("list-length", slot("list-at"), 0, 4);
  writer.add("list-at", slot("list-length"));
  writer.subtract("list-left", slot("list-length"));
  writer.jump(walk);
  writer.label(done);
}

import { ERRNO } from "../../kernel/errno.ts";
import { u64 } from "../build.ts";
import { MESSAGE } from "../records.ts";
import { type Data, type Slot, SYNC, SYNC_PARENT } from "../step.ts";
import { at, imm, slot, type Writer } from "./writer.ts";

/** What a container's process and its keeper say to each other; the layout is in src/plan/records.ts. */
export const SYNC_MESSAGE = { kind: "space", size: MESSAGE.size, name: "sync-message" } as const;

/** Where a received descriptor is: after the 16 bytes of struct cmsghdr (unix(7)). */
const RECEIVED_CONTROL: Data = { kind: "space", size: 24, name: "receive-control" };

const VECTOR: Data = {
  kind: "struct",
  fields: [{ pointer: SYNC_MESSAGE }, u64(MESSAGE.size)],
  name: "receive-vector",
};

/** struct msghdr (recvmsg(2)). */
const RECEIVED: Data = {
  kind: "struct",
  fields: [u64(0, 0), { pointer: VECTOR }, u64(1), { pointer: RECEIVED_CONTROL }, u64(24, 0)],
  name: "receive-header",
};

const MSG_CMSG_CLOEXEC = 0x40000000;

/**
 * Take one message from the socket `end`: a descriptor into `into`, a word, or the failure of the other side, which
 * `takeFailure` then goes on with. Without `end` the accumulator has an injected error.
 */
export function lowerReceive(
  writer: Writer,
  end: Slot | undefined,
  into: Slot | undefined,
  failed: string,
  takeFailure: () => void,
): void {
  if (end !== undefined) {
    // The kernel says here how much came the last time.
    writer.store(at(RECEIVED), 40, 8, imm(24));
    writer.syscall("recvmsg", slot(end), at(RECEIVED), imm(MSG_CMSG_CLOEXEC));
  }
  writer.if("acc", "lt", imm(0), failed);
  // End of file: the other side was killed, with nothing said.
  const said = writer.fresh("said");
  writer.if("acc", "ne", imm(0), said);
  writer.set("lost", imm(-ERRNO.ECONNRESET));
  writer.recall("lost");
  writer.jump(failed);
  writer.label(said);
  writer.load("message-kind", at(SYNC_MESSAGE), MESSAGE.kind, 8);
  const taken = writer.fresh("taken");
  writer.if(slot("message-kind"), "eq", imm(0), taken);
  takeFailure();
  writer.label(taken);
  if (into !== undefined) writer.load(into, at(RECEIVED_CONTROL), 16, 4);
}

/** In a child: tell the parent which step has failed, and with what. */
export function lowerTell(writer: Writer, step: Slot, error: Slot): void {
  writer.store(at(SYNC_MESSAGE), MESSAGE.kind, 8, imm(1));
  writer.store(at(SYNC_MESSAGE), MESSAGE.step, 8, slot(step));
  writer.store(at(SYNC_MESSAGE), MESSAGE.error, 8, slot(error));
  writer.syscall("write", slot(SYNC), at(SYNC_MESSAGE), imm(MESSAGE.size));
}

/** A step of the parent may have failed because the child has: then the child's failure is the one to tell. */
export function lowerAsk(writer: Writer, step: Slot, error: Slot): void {
  const own = writer.fresh("own");
  const again = writer.fresh("ask");
  const dontWait = imm(0x40);
  writer.label(again);
  writer.syscall(
    "recvfrom",
    slot(SYNC_PARENT),
    at(SYNC_MESSAGE),
    imm(MESSAGE.size),
    dontWait,
    imm(0),
    imm(0),
  );
  // Said once, before what the child has written: it ended with something unread (unix_release_sock).
  writer.if("acc", "eq", imm(-ERRNO.ECONNRESET), again);
  writer.if("acc", "ne", imm(MESSAGE.size), own);
  writer.load("message-kind", at(SYNC_MESSAGE), MESSAGE.kind, 8);
  writer.if(slot("message-kind"), "eq", imm(0), own);
  writer.load(step, at(SYNC_MESSAGE), MESSAGE.step, 8);
  writer.load(error, at(SYNC_MESSAGE), MESSAGE.error, 8);
  writer.label(own);
}

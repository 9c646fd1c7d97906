import { call, from, mem, num, struct, u32, u64 } from "./build.ts";
import type { Reason, Step } from "./step.ts";

/**
 * Sends a descriptor over a socket, for a *receive* at the other end: sendmsg(2) with `struct msghdr`, one empty
 * message of 24 bytes, `SCM_RIGHTS`.
 */
export function sendDescriptor(slot: string, socket: string, reason: Reason): Step[] {
  const message = struct([u64(0, 0, 0)]);
  const control = struct([u64(20), u32(SOL_SOCKET, SCM_RIGHTS), u32(0, 0)], `send-control.${sends++}`);
  const vector = struct([{ pointer: message }, u64(24)]);
  const header = struct([u64(0, 0), { pointer: vector }, u64(1), { pointer: control }, u64(24), u64(0)]);
  return [
    { kind: "store", slot, to: control, offset: 16, size: 4, ...reason },
    call("sendmsg", [from(socket), mem(header, `one descriptor (${slot})`), num(0)], reason),
  ];
}

const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;

let sends = 0;

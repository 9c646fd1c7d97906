import { u64 } from "../build.ts";
import type { Data } from "../step.ts";

/** What a container's process and its keeper say to each other: kind (0 a descriptor or a word, 1 a failure), step, error. */
export const SYNC_MESSAGE: Data = { kind: "space", size: 24, name: "sync-message" };

/** Where a received descriptor is: after the 16 bytes of struct cmsghdr (unix(7)). */
export const RECEIVED_CONTROL: Data = { kind: "space", size: 24, name: "receive-control" };

const VECTOR: Data = {
  kind: "struct",
  fields: [{ pointer: SYNC_MESSAGE }, u64(24)],
  name: "receive-vector",
};

/** struct msghdr (recvmsg(2)). */
export const RECEIVED: Data = {
  kind: "struct",
  fields: [u64(0, 0), { pointer: VECTOR }, u64(1), { pointer: RECEIVED_CONTROL }, u64(24, 0)],
  name: "receive-header",
};

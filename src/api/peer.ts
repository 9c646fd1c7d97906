import { type DetachKeys, detachKeys } from "../container/detach.ts";
import type { Peer } from "../engine/containers/attach.ts";
import { Refusal } from "../oci/error.ts";
import { copyForAll, frameForAll } from "./frames.ts";
import type { Hijacked } from "./http/exchange.ts";

/** The client's end of a connection that was taken over. */
export function peerOf(connection: Hijacked, terminal: boolean, stdin: boolean): Peer {
  const input = connection.input();
  // Without input from the client its half is still read, so that its end is noticed.
  if (!stdin) void discard(input);
  return {
    input: stdin ? input : null,
    write: (stream, chunk) => connection.write(terminal ? copyForAll(chunk) : frameForAll(stream, chunk)),
    end: () => connection.end(),
  };
}

/** Without headers before the pieces, where the connection has borders of its own. */
export function rawPeer(connection: Pick<Hijacked, "input" | "write" | "end">, stdin: boolean): Peer {
  const input = connection.input();
  if (!stdin) void discard(input);
  return {
    input: stdin ? input : null,
    write: (_, chunk) => connection.write(copyForAll(chunk)),
    end: () => connection.end(),
  };
}

async function discard(input: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of input);
}

/** @throws Refusal (400) when a key is not known */
export function keysOf(text: string | null | undefined, terminal: boolean): DetachKeys | null {
  const keys = detachKeys(text ?? "");
  if (typeof keys === "string") throw new Refusal("invalid", keys);
  return terminal ? keys : null;
}

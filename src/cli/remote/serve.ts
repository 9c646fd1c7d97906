import { AsyncLocalStorage } from "node:async_hooks";
import { constants } from "node:os";
import { COMMAND_SIGNALS, NOTICE, ORDER, RECORD } from "../../wire/front.ts";
import { type Caller, Elsewhere, takeCallers } from "../caller/caller.ts";
import type { Dispatch } from "../context.ts";
import { type Call, type Input, inputOf, readCall } from "./call.ts";

/** The connection to a front. */
export interface Connection {
  /** What it sends; ends when it is gone. */
  input(): AsyncGenerator<Buffer, void>;
  /** Resolves when it can take more, or is gone. */
  write(chunk: Uint8Array): Promise<void> | undefined;
  end(): void;
}

const SIGNAL_NAMES = new Map<number, string>(COMMAND_SIGNALS.map((name) => [constants.signals[name], name]));

const callers = new AsyncLocalStorage<Caller>();
takeCallers(() => callers.getStore());

/**
 * Runs the commands that fronts were called with, in this process. Each is a client of the engine like any other, at
 * the socket that its front came by; it ends when its front does.
 * @returns never throws, and resolves when the command has ended
 */
export function commandsAt(dispatch: Dispatch, socket: string): (connection: Connection) => Promise<void> {
  return async (connection) => {
    const input = inputOf(connection.input());
    const call = await readCall(input);
    if (call !== null) await runFor(dispatch, socket, connection, input, call);
    connection.end();
  };
}

async function runFor(
  dispatch: Dispatch,
  socket: string,
  connection: Connection,
  input: Input,
  call: Call,
): Promise<void> {
  const gone = new AbortController();
  // Local time is told in the caller's zone, and a process has one.
  if (call.environment.TZ !== process.env.TZ) return void connection.write(record(ORDER.decline, 0));
  const session = remoteCaller(socket, connection, call, gone);
  const listening = callers.run(session.caller, () => listen(input, session));
  void listening.then(() => gone.abort(new Error("the command's front is gone")));
  const status = await callers.run(session.caller, () => dispatch(call.argv));
  const [kind, value] = session.declined() ? ([ORDER.decline, 0] as const) : ([ORDER.exit, status] as const);
  connection.write(record(kind, value));
}

/** Hears what a front says of its signals until it is gone. */
async function listen(input: Input, session: Session): Promise<void> {
  for (;;) {
    const notice = await input.take(RECORD.size);
    if (notice === null) return;
    if (Number(notice.readBigUInt64LE(RECORD.kind)) !== NOTICE.signal) return;
    session.signal(Number(notice.readBigUInt64LE(RECORD.value)));
  }
}

interface Session {
  readonly caller: Caller;
  /** Whether the command turned out to need a process of its own. */
  declined(): boolean;
  signal(number: number): void;
}

function remoteCaller(path: string, connection: Connection, call: Call, gone: AbortController): Session {
  const handlers = new Map<string, Set<() => void>>();
  let declined = false;
  let spoken = false;
  const say = (kind: number, bytes: Uint8Array): Promise<void> | undefined => {
    if (declined || bytes.length === 0) return undefined;
    spoken = true;
    return connection.write(Buffer.concat([record(kind, bytes.length), bytes]));
  };
  const write = (fd: 1 | 2, bytes: Uint8Array) => say(fd === 1 ? ORDER.stdout : ORDER.stderr, bytes);
  const own = () => {
    if (spoken) throw new Error("Cannot begin anew elsewhere: something has been said");
    declined = true;
    // Whatever the command makes of the error, it asks the engine for nothing more.
    gone.abort(new Elsewhere());
    throw new Elsewhere();
  };
  const caller: Caller = {
    environment: call.environment,
    directory: () => call.directory,
    write: (fd, bytes) => void write(fd, bytes),
    pour: async (fd, bytes) => await write(fd, bytes),
    onSignal(name, handler) {
      const all = handlers.get(name) ?? new Set();
      handlers.set(name, all.add(handler));
      return () => void all.delete(handler);
    },
    own,
    engine: { endpoint: { kind: "unix", path }, signal: gone.signal },
  };
  return {
    caller,
    declined: () => declined,
    signal(number) {
      const name = SIGNAL_NAMES.get(number);
      const called = name === undefined ? undefined : handlers.get(name);
      if (called !== undefined && called.size > 0) for (const handler of called) handler();
      else connection.write(record(ORDER.signal, number));
    },
  };
}

function record(kind: number, value: number): Buffer {
  const bytes = Buffer.alloc(RECORD.size);
  bytes.writeBigUInt64LE(BigInt(kind), RECORD.kind);
  bytes.writeBigUInt64LE(BigInt(value), RECORD.value);
  return bytes;
}

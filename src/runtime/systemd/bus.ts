import { createConnection, type Socket } from "node:net";
import type { Value } from "./marshal.ts";
import { decodeMessage, encodeCall, type Incoming } from "./message.ts";

/** A connection to systemd, over its own socket or the system's bus. */
export interface Bus extends Disposable {
  /** Call a method of systemd's. @throws BusError with the name of the refusal */
  call(
    path: string,
    interface_: string,
    member: string,
    signature: string,
    body: readonly Value[],
  ): Promise<readonly Value[]>;
  /** The first signal that `accepts` takes, among those that have come and those that will. */
  signal(accepts: (signal: Incoming) => boolean): Promise<Incoming>;
}

/** A refusal, by its name: `org.freedesktop.systemd1.NoSuchUnit`. */
interface BusError extends Error {
  readonly bus: string;
}

/** The name of a refusal; empty for other errors. */
export const refusalOf = (error: unknown): string =>
  error instanceof Error ? String((error as Partial<BusError>).bus ?? "") : "";

/** Only root may use the first, which needs no bus daemon; both are systemd's (systemd(1), dbus-daemon(1)). */
const SOCKETS = ["/run/systemd/private", "/run/dbus/system_bus_socket"] as const;
const SYSTEMD = "org.freedesktop.systemd1";
const DAEMON = "org.freedesktop.DBus";
export const MANAGER = "org.freedesktop.systemd1.Manager";
export const MANAGER_PATH = "/org/freedesktop/systemd1";
/** Starting a scope takes milliseconds; a systemd that is stuck must not keep the caller for ever. */
const PATIENCE_MS = 30_000;

/** Connect to systemd. @throws Error that names the sockets */
export async function openBus(): Promise<Bus> {
  const reasons: string[] = [];
  for (const path of SOCKETS)
    try {
      const bus = await over(path);
      if (path === SOCKETS[0]) return bus;
      await introduce(bus);
      return bus;
    } catch (error) {
      reasons.push(`${path}: ${error instanceof Error ? error.message : String(error)}`);
    }
  throw new Error(`Cannot reach systemd: ${reasons.join("; ")}`);
}

/** A bus wants a greeting, and is told which signals to pass on; systemd sends them to whoever subscribes. */
async function introduce({ call }: Bus): Promise<void> {
  await call("/org/freedesktop/DBus", DAEMON, "Hello", "", []);
  const rule = `type='signal',sender='${SYSTEMD}',interface='${MANAGER}'`;
  await call("/org/freedesktop/DBus", DAEMON, "AddMatch", "s", [rule]);
  await call(MANAGER_PATH, MANAGER, "Subscribe", "", []);
}

interface Waiting {
  readonly accepts: (message: Incoming) => boolean;
  resolve(message: Incoming): void;
  reject(error: Error): void;
}

async function over(path: string): Promise<Bus> {
  const socket = createConnection({ path });
  const waiting = new Set<Waiting>();
  const signals: Incoming[] = [];
  let serial = 0;
  let failed: Error | undefined;
  const fail = (error: Error) => {
    failed ??= error;
    for (const one of waiting) one.reject(error);
    waiting.clear();
    socket.destroy();
  };
  socket.setTimeout(PATIENCE_MS, () => fail(new Error(`no answer for ${PATIENCE_MS / 1000} s`)));
  socket.on("error", fail);
  socket.on("close", () => fail(new Error("the connection was closed")));
  const received = await authenticate(socket, () => failed);
  const next = (accepts: Waiting["accepts"]) =>
    new Promise<Incoming>((resolve, reject) => {
      if (failed !== undefined) reject(failed);
      else waiting.add({ accepts, resolve, reject });
    });
  let rest = received;
  const take = (chunk: Buffer) => {
    try {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      for (let found = decodeMessage(rest); found !== undefined; found = decodeMessage(rest)) {
        rest = rest.subarray(found.length);
        const { message } = found;
        const taker = [...waiting].find(({ accepts }) => accepts(message));
        if (taker === undefined) {
          if (message.kind === "signal") signals.push(message);
          continue;
        }
        waiting.delete(taker);
        taker.resolve(message);
      }
    } catch (error) {
      fail(error instanceof Error ? error : new Error(String(error)));
    }
  };
  socket.on("data", take);
  return {
    async call(object, interface_, member, signature, body) {
      const own = ++serial;
      const destination = interface_ === DAEMON ? DAEMON : SYSTEMD;
      const answer = next(({ replyTo }) => replyTo === own);
      socket.write(
        encodeCall({ destination, path: object, interface: interface_, member, signature, body }, own),
      );
      const { body: said, error, kind } = await answer;
      if (kind === "error") throw Object.assign(new Error(String(said[0] ?? error)), { bus: error });
      return said;
    },
    signal(accepts) {
      const at = signals.findIndex(accepts);
      const [found] = at < 0 ? [] : signals.splice(at, 1);
      return found === undefined
        ? next((message) => message.kind === "signal" && accepts(message))
        : Promise.resolve(found);
    },
    [Symbol.dispose]: () => {
      failed ??= new Error("the connection was closed");
      socket.destroy();
    },
  };
}

/**
 * SASL EXTERNAL (D-Bus specification, "Authentication Protocol"): the kernel says who we are. Resolves to what has come
 * behind the server's line.
 */
function authenticate(socket: Socket, failed: () => Error | undefined): Promise<Buffer> {
  const uid = Buffer.from(String(process.geteuid?.() ?? 0)).toString("hex");
  return new Promise((resolve, reject) => {
    let line = Buffer.alloc(0);
    const closed = () => reject(failed() ?? new Error("the connection was closed"));
    const read = (chunk: Buffer) => {
      line = Buffer.concat([line, chunk]);
      const end = line.indexOf("\r\n");
      if (end < 0 && line.length < 1024) return;
      socket.off("data", read);
      socket.off("close", closed);
      if (!line.subarray(0, 3).equals(Buffer.from("OK ")))
        reject(new Error(`it does not let us in: ${line.subarray(0, 60).toString("latin1").trim()}`));
      else resolve(line.subarray(end + 2));
    };
    socket.on("data", read);
    socket.once("close", closed);
    // All at once, as systemd's own clients have it: a call that its server reads together with BEGIN is left lying.
    socket.write(`\0AUTH EXTERNAL ${uid}\r\nBEGIN\r\n`);
  });
}

import type { DetachKeys } from "../../container/detach.ts";
import type { Entry } from "../../container/logs/entry.ts";
import { formatTime, parseTime } from "../../container/time.ts";
import type { Container, WaitCondition } from "../../engine/container.ts";
import { attach, checkAttach, type Peer } from "../../engine/containers/attach.ts";
import { find } from "../../engine/containers/find.ts";
import { type LogsOptions, logs } from "../../engine/containers/logs.ts";
import { tell } from "../../engine/containers/tell.ts";
import { wait } from "../../engine/containers/wait.ts";
import type { Engine } from "../../engine/engine.ts";
import { invalid, notANumber } from "../../engine/refuse.ts";
import { describe, replyJson } from "../failure.ts";
import { frame, hijackType, streamType } from "../frames.ts";
import type { Exchange } from "../http/exchange.ts";
import { badHandshake, openWebSocket } from "../http/websocket.ts";
import { keysOf, peerOf, rawPeer } from "../peer.ts";
import { flag } from "../request.ts";
import { get, parameter, post, type Route } from "../route.ts";

/** What containers say, and their end: answers that take their time. */
export const streams: readonly Route[] = [
  post("/containers/{id...}/attach", (engine, exchange, parameters, minor) =>
    attachTo(engine, exchange, parameter(parameters, "id"), minor),
  ),
  get("/containers/{id...}/attach/ws", (engine, exchange, parameters, minor) =>
    attachSocket(engine, exchange, parameter(parameters, "id"), minor),
  ),
  get("/containers/{id...}/logs", (engine, exchange, parameters, minor) =>
    sendLogs(engine, exchange, parameter(parameters, "id"), minor),
  ),
  post("/containers/{id...}/wait", async (engine, exchange, parameters, minor) => {
    const container = find(engine, parameter(parameters, "id"));
    // Conditions, and headers that come before the end, are there since API 1.30.
    if (minor < 30) {
      const waiting = wait(container, "not-running");
      exchange.gone.addEventListener("abort", waiting.cancel);
      replyJson(exchange, { StatusCode: await waiting.done });
      return;
    }
    const waiting = wait(container, conditionOf(exchange.query.get("condition")));
    // The headers go now: clients start the container once they have them.
    const stream = exchange.begin(200, "application/json");
    exchange.gone.addEventListener("abort", waiting.cancel);
    void waiting.done.then((StatusCode) => {
      stream.write(`${JSON.stringify({ StatusCode })}\n`);
      stream.end();
    });
  }),
];

function conditionOf(text: string | null): WaitCondition {
  if (text === null || text === "") return "not-running";
  if (text === "not-running" || text === "next-exit" || text === "removed") return text;
  throw invalid(`invalid condition: "${text.slice(0, 40)}"`);
}

/** The container, if it can be attached to; refusals have the type of the stream that is not to come, as in Docker. */
function attachable(engine: Engine, exchange: Exchange, id: string): Container | null {
  try {
    const container = find(engine, id);
    checkAttach(container, id);
    return container;
  } catch (error) {
    const { status, message } = describe(error);
    exchange.reply(status, `${message}\r\n`, streamType(true, 0));
    return null;
  }
}

async function attachTo(engine: Engine, exchange: Exchange, id: string, minor: number): Promise<void> {
  const container = attachable(engine, exchange, id);
  if (!container) return;
  const terminal = container.record.config.Tty ?? false;
  const wanted = {
    stdin: flag(exchange, "stdin"),
    stdout: flag(exchange, "stdout"),
    stderr: flag(exchange, "stderr"),
  };
  let session: Session;
  try {
    session = sessionOf(exchange, terminal, wanted);
  } catch {
    const keys = exchange.query.get("detachKeys")?.slice(0, 80);
    exchange.reply(400, `Invalid detach keys (${keys}) provided\r\n`, streamType(true, 0));
    return;
  }
  // Some clients send their options as a body too (dockerode): it is not what the container is to read.
  if (exchange.body.length !== "chunked") await exchange.body.discard();
  const connection = exchange.hijack(hijackType(exchange, terminal, minor));
  await join(engine, container, peerOf(connection, terminal, wanted.stdin), session);
}

/** Docker's WebSocket form: both streams as they are, one frame a piece. */
async function attachSocket(engine: Engine, exchange: Exchange, id: string, minor: number): Promise<void> {
  const container = find(engine, id);
  checkAttach(container, id);
  // Older clients get all three, whatever they ask for.
  const all = minor < 42;
  const wanted = {
    stdin: all || flag(exchange, "stdin"),
    stdout: all || flag(exchange, "stdout"),
    stderr: all || flag(exchange, "stderr"),
  };
  const session = sessionOf(exchange, container.record.config.Tty ?? false, wanted);
  const bad = badHandshake(exchange);
  if (bad) {
    exchange.reply(400, bad, "text/plain", { "Sec-WebSocket-Version": "13" });
    return;
  }
  const socket = openWebSocket(exchange, minor >= 28);
  const peer = rawPeer(socket, wanted.stdin);
  await join(engine, container, peer, session);
}

interface Session {
  readonly exchange: Exchange;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly detach: DetachKeys | null;
  /** What was written before comes first. */
  readonly past: boolean;
  readonly live: boolean;
}

/** @throws Refusal (400) for detach keys that do not exist: before anything is answered */
const sessionOf = (
  exchange: Exchange,
  terminal: boolean,
  { stdout, stderr }: { readonly stdout: boolean; readonly stderr: boolean },
): Session => ({
  exchange,
  stdout,
  stderr,
  detach: keysOf(exchange.query.get("detachKeys"), terminal),
  past: flag(exchange, "logs"),
  live: flag(exchange, "stream"),
});

async function join(engine: Engine, container: Container, peer: Peer, session: Session): Promise<void> {
  const { stdout, stderr, exchange } = session;
  if (session.past) {
    const options: LogsOptions = {
      stdout: stdout || !stderr,
      stderr: stderr || !stdout,
      since: null,
      until: null,
      tail: null,
      follow: false,
      signal: exchange.gone,
    };
    for await (const entries of logs(engine, container, options)) {
      for (const { stream, log } of entries) {
        const wait = peer.write(stream, Buffer.from(log));
        if (wait) await wait;
      }
    }
  }
  if (!session.live) {
    tell(engine, container.record, "attach");
    peer.end();
    return;
  }
  exchange.onClose(attach(engine, container, peer, session));
}

async function sendLogs(engine: Engine, exchange: Exchange, id: string, minor: number): Promise<void> {
  const container = find(engine, id);
  const terminal = container.record.config.Tty ?? false;
  const options: LogsOptions = {
    stdout: flag(exchange, "stdout"),
    stderr: flag(exchange, "stderr"),
    since: timeOf(exchange, "since"),
    until: timeOf(exchange, "until"),
    tail: tailOf(exchange.query.get("tail")),
    follow: flag(exchange, "follow"),
    signal: exchange.gone,
  };
  if (!options.stdout && !options.stderr) {
    throw invalid("Bad parameters: you must choose at least one stream");
  }
  const form = { timestamps: flag(exchange, "timestamps"), details: flag(exchange, "details") };
  const entries = logs(engine, container, options);
  const stream = exchange.begin(200, streamType(terminal, minor));
  try {
    for await (const batch of entries) {
      const wait = stream.write(bytesOf(batch, terminal, form));
      if (wait) await wait;
    }
  } finally {
    stream.end();
  }
}

/** Messages as a client reads them; neighbours of one stream share a frame where no time stands between. */
function bytesOf(
  entries: readonly Entry[],
  terminal: boolean,
  form: { readonly timestamps?: boolean; readonly details?: boolean },
): Uint8Array {
  const parts: Buffer[] = [];
  let text = "";
  let stream: Entry["stream"] = "stdout";
  const flush = (): void => {
    if (text === "") return;
    parts.push(terminal ? Buffer.from(text) : frame(stream, Buffer.from(text)));
    text = "";
  };
  for (const entry of entries) {
    // Docker frames each message; a client that looks for lines in frames finds them.
    if (!terminal || entry.stream !== stream) flush();
    stream = entry.stream;
    if (form.timestamps) text += `${fullTime(entry.time)} `;
    if (form.details) text += `${detailsOf(entry)} `;
    text += entry.log;
  }
  flush();
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

/** Docker's form of the labels and variables that go along: `a=b,c=d`, escaped as in an address. */
const detailsOf = ({ attrs = {} }: Entry): string =>
  Object.entries(attrs)
    .map((pair) => pair.map(escapeQuery).join("="))
    .sort()
    .join(",");

/** Go's `url.QueryEscape`. */
const escapeQuery = (text: string): string =>
  encodeURIComponent(text)
    .replaceAll("%20", "+")
    .replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);

function fullTime(time: string): string {
  if (time.length === 30) return time;
  const at = parseTime(time);
  return at === null ? time : formatTime(at);
}

function timeOf(exchange: Exchange, name: string): bigint | null {
  const text = exchange.query.get(name);
  if (text === null || text === "" || text === "0") return null;
  const at = parseTime(text);
  if (at === null) throw notANumber("ParseInt", text);
  return at;
}

/** Docker takes everything for what is no number. */
const tailOf = (text: string | null): number | null =>
  text !== null && /^\d{1,9}$/.test(text) ? Number(text) : null;

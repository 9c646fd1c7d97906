import type { Entry } from "../../container/logs/entry.ts";
import { formatTime, parseTime } from "../../container/time.ts";
import type { Container, WaitCondition } from "../../engine/container.ts";
import { attach, checkAttach } from "../../engine/containers/attach.ts";
import { find } from "../../engine/containers/find.ts";
import { type LogsOptions, logs } from "../../engine/containers/logs.ts";
import { wait } from "../../engine/containers/wait.ts";
import type { Engine } from "../../engine/engine.ts";
import { invalid } from "../../engine/refuse.ts";
import { describe, replyJson } from "../failure.ts";
import { frame, streamType } from "../frames.ts";
import type { Exchange } from "../http/exchange.ts";
import { keysOf, peerOf } from "../peer.ts";
import { flag } from "../request.ts";
import { get, parameter, post, type Route } from "../route.ts";

/** What containers say, and their end: answers that take their time. */
export const streams: readonly Route[] = [
  post("/containers/{id}/attach", (engine, exchange, parameters, minor) =>
    attachTo(engine, exchange, parameter(parameters, "id"), minor),
  ),
  get("/containers/{id}/logs", (engine, exchange, parameters, minor) =>
    sendLogs(engine, exchange, parameter(parameters, "id"), minor),
  ),
  post("/containers/{id}/wait", async (engine, exchange, parameters, minor) => {
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
  const [stdin, stdout, stderr] = [
    flag(exchange, "stdin"),
    flag(exchange, "stdout"),
    flag(exchange, "stderr"),
  ];
  const detach = keysOf(exchange.query.get("detachKeys"), terminal);
  const [past, live] = [flag(exchange, "logs"), flag(exchange, "stream")];
  const connection = exchange.hijack(streamType(terminal, minor));
  if (past) {
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
      const wait = connection.write(bytesOf(entries, terminal, {}));
      if (wait) await wait;
    }
  }
  if (!live) {
    connection.end();
    return;
  }
  const leave = attach(engine, container, peerOf(connection, terminal, stdin), { stdout, stderr, detach });
  exchange.onClose(leave);
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
  if (at === null) throw invalid(`invalid value for ${name}: '${text.slice(0, 40)}'`);
  return at;
}

/** Docker takes everything for what is no number. */
const tailOf = (text: string | null): number | null =>
  text !== null && /^\d{1,9}$/.test(text) ? Number(text) : null;

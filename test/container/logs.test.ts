import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { formatter } from "../../src/container/logs/format.ts";
import { logOptions } from "../../src/container/logs/options.ts";
import { readLog } from "../../src/container/logs/reader.ts";
import { logWriter } from "../../src/container/logs/writer.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cais-logs-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const fail = (error: Error): never => {
  throw error;
};

async function texts(entries: AsyncGenerator<{ readonly log: string }[]>): Promise<string> {
  let text = "";
  for await (const batch of entries) for (const entry of batch) text += entry.log;
  return text;
}

/** A formatter whose lines are collected. */
function collecting(stream: "stdout" | "stderr", room = Number.POSITIVE_INFINITY) {
  const format = formatter(stream);
  const batches: string[] = [];
  const target = { room: () => room, write: (lines: Uint8Array) => void batches.push(lines.toString()) };
  /** What an action adds. */
  const added = (act: () => void) => {
    const before = batches.length;
    act();
    return batches.slice(before).join("");
  };
  return {
    batches,
    push: (bytes: Uint8Array, time = "T") => added(() => format.push(bytes, time, target)),
    end: (time = "T") => added(() => format.end(time, target)),
    held: () => format.held,
  };
}

const logsIn = (text: string): string[] =>
  text
    .split("\n")
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as { log: string }).log);

test("a line longer than 16 KiB becomes messages of 16 KiB, the last with the newline", () => {
  const logs = logsIn(collecting("stdout").push(Buffer.from(`${"x".repeat(40_000)}\nshort\n`)));
  assert.deepEqual(
    logs.map((log) => log.length),
    [16_384, 16_384, 40_000 - 2 * 16_384 + 1, 6],
  );
  assert.equal(logs.at(-1), "short\n");
});

test("a line that comes in pieces is one message, bytes that are no UTF-8 are replaced", () => {
  const format = collecting("stderr");
  assert.equal(format.push(Buffer.from("é".repeat(3)).subarray(0, 3)), "");
  assert.equal(format.push(Buffer.from("é".repeat(3)).subarray(3)), "");
  assert.equal(format.held(), 6);
  const text = format.push(Buffer.from([0xff, 10, 0x61]), "T2");
  assert.deepEqual(JSON.parse(text), { log: "ééé�\n", stream: "stderr", time: "T2" });
  assert.deepEqual(JSON.parse(format.end("T3")), { log: "a", stream: "stderr", time: "T3" });
  assert.equal(format.held(), 0);
});

test("the same bytes make the same lines, whatever chunks they come in", () => {
  const bytes = Buffer.concat([
    Buffer.from(`${'é€😀"\\'.repeat(4000)}\n\n${"y".repeat(16_383)}\n${"z".repeat(16_384)}\n`),
    Buffer.from([0xe2, 0x82, 10, 0xf0, 0x9f, 0x98, 0x80, 0xed, 0xa0, 0x80, 10]),
    Buffer.from(`${"\0".repeat(50_000)}\nthe end`),
  ]);
  const whole = collecting("stdout");
  const expected = whole.push(bytes) + whole.end();
  for (const size of [1, 7, 4096, 16_383, 16_384, 16_385, 65_536]) {
    const format = collecting("stdout");
    let text = "";
    for (let at = 0; at < bytes.length; at += size) text += format.push(bytes.subarray(at, at + size));
    assert.equal(text + format.end(), expected, `in chunks of ${size}`);
    assert.equal(format.held(), 0);
  }
  assert.ok(Buffer.byteLength(expected) > bytes.length);
});

test("text is written as Docker writes it", () => {
  const format = collecting("stdout");
  const written = (bytes: Uint8Array | string) => {
    const line = format.push(Buffer.concat([Buffer.from(bytes as string), Buffer.from("\n")]));
    return line.slice('{"log":"'.length, line.indexOf('\\n","stream"'));
  };
  // What dockerd 28.5 had in its file for the same bytes.
  for (const [bytes, expected] of [
    ["\0\x07\b\t\f\r\x1b", "\\u0000\\u0007\\u0008\\u0009\\u000c\\r\\u001b"],
    [`"\\/<>&'\x7f`, `\\"\\\\/\\u003c\\u003e\\u0026'\x7f`],
    ["\u2028\u2029\u202a\ufeff\ufffd\uffff😀\x80", "\\u2028\\u2029\u202a\ufeff\ufffd\uffff😀\x80"],
    [Buffer.from("e28241c0afeda080", "hex"), "\\ufffd\\ufffdA\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd"],
    [Buffer.from("f4908080f09080c3f0908080fe", "hex"), `${"\\ufffd".repeat(8)}\u{10000}\\ufffd`],
  ] as const)
    assert.equal(written(bytes), expected);
});

test("lines are handed out so that a file ends with the line that fills it", () => {
  const format = collecting("stdout", 100);
  format.push(Buffer.from("one\ntwo\nthree\nfour\n"));
  // One line has some 45 bytes: the third reaches a hundred.
  assert.deepEqual(format.batches.map(logsIn), [["one\n", "two\n", "three\n"], ["four\n"]]);
});

test("no text is left behind for what is written", () => {
  const log = logWriter(join(folder, "much.log"), { maxSize: 1 << 20, maxFile: 2 }, fail);
  const chunk = Buffer.from(`${"a line of a log\n".repeat(16_000)}`);
  for (let warm = 0; warm < 20; warm++) log.write("stdout", chunk);
  Bun.gc(true);
  const before = process.memoryUsage().rss;
  for (let much = 0; much < 400; much++) log.write("stdout", chunk);
  log.end();
  // 100 MB of text went through.
  const grown = process.memoryUsage().rss - before;
  assert.ok(grown < 16 << 20, `${grown} bytes`);
});

test("rotation keeps the disk bounded and the newest lines", async () => {
  const path = join(folder, "json.log");
  const log = logWriter(path, { maxSize: 10_000, maxFile: 3 }, fail);
  for (let n = 0; n < 2000; n++) log.write("stdout", Buffer.from(`line ${n}\n`));
  log.end();
  const names = readdirSync(folder).sort();
  assert.deepEqual(names, ["json.log", "json.log.1", "json.log.2"]);
  for (const name of names) assert.ok(statSync(join(folder, name)).size < 10_200);
  const lines = (await texts(readLog(path, 3, null, { tail: null, follow: false }))).trimEnd().split("\n");
  assert.equal(lines.at(-1), "line 1999");
  assert.ok(lines.length > 200);
  for (const [index, line] of lines.entries()) assert.equal(line, `line ${2000 - lines.length + index}`);
});

test("one chunk that is larger than a file is cut between its lines", async () => {
  const path = join(folder, "flood.log");
  const log = logWriter(path, { maxSize: 10_000, maxFile: 2 }, fail);
  log.write("stdout", Buffer.alloc(100_000, "\n"));
  log.end();
  for (const name of [path, `${path}.1`]) assert.ok(statSync(name).size < 10_200);
  assert.match(await texts(readLog(path, 2, null, { tail: null, follow: false })), /^\n{100,}$/);
});

test("tail counts lines from the end, across rotated files", async () => {
  const path = join(folder, "json.log");
  const log = logWriter(path, { maxSize: 1000, maxFile: 5 }, fail);
  for (let n = 0; n < 100; n++) log.write("stdout", Buffer.from(`${n}\n`));
  log.end();
  for (const tail of [0, 1, 13, 30]) {
    const text = await texts(readLog(path, 5, null, { tail, follow: false }));
    const wanted = Array.from({ length: tail }, (_, n) => `${100 - tail + n}\n`).join("");
    assert.equal(text, wanted);
  }
});

test("a follower gets each line once, through rotations, and ends with the container", async () => {
  const path = join(folder, "json.log");
  const log = logWriter(path, { maxSize: 4000, maxFile: 100 }, fail);
  const following = texts(readLog(path, 100, log, { tail: null, follow: true }));
  let wanted = "";
  for (let n = 0; n < 3000; n++) {
    wanted += `line ${n}\n`;
    log.write(n % 2 ? "stdout" : "stderr", Buffer.from(`line ${n}\n`));
    if (n % 37 === 0) await Promise.resolve();
    if (n % 501 === 0) await new Promise(setImmediate);
  }
  log.end();
  assert.equal(await following, wanted);
});

test("a follower of a silent container ends with it, or when it goes away", async () => {
  const path = join(folder, "json.log");
  const log = logWriter(path, { maxSize: 4000, maxFile: 2 }, fail);
  const gone = new AbortController();
  const leaving = texts(readLog(path, 2, log, { tail: null, follow: true, signal: gone.signal }));
  const staying = texts(readLog(path, 2, log, { tail: 3, follow: true }));
  await new Promise(setImmediate);
  gone.abort();
  assert.equal(await leaving, "");
  log.write("stdout", Buffer.from("at last\n"));
  log.end();
  assert.equal(await staying, "at last\n");
  assert.deepEqual(
    readdirSync("/proc/self/fd").filter((fd) => linkOf(fd).startsWith(folder)),
    [],
  );
});

test("damaged lines are left out", async () => {
  const path = join(folder, "json.log");
  writeFileSync(
    path,
    `{"log":"a\\n","stream":"stdout","time":"T"}\n\0\0\0\n{"log":"b\\n","stream":"x","time":"T"}\n{"lo`,
  );
  assert.equal(await texts(readLog(path, 1, null, { tail: null, follow: false })), "a\nb\n");
});

test("options: bounded by default, sizes, refusals", () => {
  const fileOf = (config: Parameters<typeof logOptions>[0]) => {
    const options = logOptions(config);
    return typeof options === "string" ? options : options.file;
  };
  assert.deepEqual(fileOf(undefined), { kind: "json-file", maxSize: 10 << 20, maxFile: 3, compress: false });
  assert.deepEqual(fileOf({ Type: "json-file", Config: { "max-size": "2k", "max-file": "1" } }), {
    kind: "json-file",
    maxSize: 2048,
    maxFile: 1,
    compress: false,
  });
  assert.deepEqual(fileOf({ Type: "local" }), {
    kind: "local",
    maxSize: 20 << 20,
    maxFile: 5,
    compress: true,
  });
  assert.match(logOptions({ Config: { "max-size": "much" } }) as string, /max-size/);
  assert.match(logOptions({ Config: { colour: "x" } }) as string, /unknown log opt 'colour'/);
});

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return "";
  }
}

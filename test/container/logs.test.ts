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

test("a line longer than 16 KiB becomes messages of 16 KiB, the last with the newline", () => {
  const format = formatter("stdout");
  const text = format.push(Buffer.from(`${"x".repeat(40_000)}\nshort\n`), "T");
  const logs = text
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { log: string }).log);
  assert.deepEqual(
    logs.map((log) => log.length),
    [16_384, 16_384, 40_000 - 2 * 16_384 + 1, 6],
  );
  assert.equal(logs.at(-1), "short\n");
});

test("a line that comes in pieces is one message, bytes that are no UTF-8 are replaced", () => {
  const format = formatter("stderr");
  assert.equal(format.push(Buffer.from("é".repeat(3)).subarray(0, 3), "T"), "");
  assert.equal(format.push(Buffer.from("é".repeat(3)).subarray(3), "T"), "");
  const text = format.push(Buffer.from([0xff, 10, 0x61]), "T2");
  assert.deepEqual(JSON.parse(text), { log: "ééé�\n", stream: "stderr", time: "T2" });
  assert.deepEqual(JSON.parse(format.end("T3")), { log: "a", stream: "stderr", time: "T3" });
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

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { detailOptions } from "../../src/container/logs/details.ts";
import type { DriverFacts, LogDriver } from "../../src/container/logs/drivers/driver.ts";
import { openJournald } from "../../src/container/logs/drivers/journald.ts";
import { openSyslog, syslogOptions } from "../../src/container/logs/drivers/syslog.ts";
import { forwarding } from "../../src/container/logs/forward.ts";
import { type Message, splitter } from "../../src/container/logs/message.ts";
import { logOptions } from "../../src/container/logs/options.ts";
import { readLog } from "../../src/container/logs/reader.ts";
import { badTag, type LogSubject, tagOf } from "../../src/container/logs/subject.ts";
import { logWriter, noLog } from "../../src/container/logs/writer.ts";
import { needs, program, root } from "../support/skip.ts";

const directory = mkdtempSync(join(tmpdir(), "cais-drivers-"));
after(() => rmSync(directory, { recursive: true }));

const subject: LogSubject = {
  id: "ab".repeat(32),
  name: "web",
  image: "shop:1",
  imageId: `sha256:${"cd".repeat(32)}`,
  command: "serve now",
  labels: { "a.b": "c", other: "x" },
  env: ["X=y=z", "Y"],
};
const facts = (options: Record<string, string> = {}): DriverFacts => ({
  subject,
  details: detailOptions(options),
  programs: directory,
});
const message = (line: string, stream: Message["stream"] = "stdout"): Message => ({
  stream,
  line: Buffer.from(line),
  time: "2026-01-02T03:04:05.000000006Z",
});

/** Datagrams of a unix socket as they come. */
async function receiver(path: string) {
  const script =
    'import json, socket, sys\ns = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\ns.bind(sys.argv[1])\nprint("ready", flush=True)\nwhile True: print(json.dumps(s.recv(1 << 20).decode("latin1")), flush=True)\n';
  const child = spawn("python3", ["-c", script, path], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  return {
    next: async (): Promise<string> => JSON.parse((await lines.next()).value as string) as string,
    async [Symbol.asyncDispose]() {
      const ended = once(child, "close");
      child.kill();
      await ended;
    },
  };
}

test("messages: lines, parts of long ones, an unfinished last one", () => {
  const cut = splitter("stdout");
  const all = [
    ...cut.push(Buffer.from("one\n\ntw"), "T"),
    ...cut.push(Buffer.from(`o\n${"x".repeat(40_000)}`), "T"),
    ...cut.push(Buffer.from("\nlast"), "T"),
    ...cut.end("T"),
  ];
  assert.deepEqual(
    all.map(({ line, part }) => [line.length, part?.ordinal ?? 0, part?.last ?? null]),
    [
      [3, 0, null],
      [0, 0, null],
      [3, 0, null],
      [16384, 1, false],
      [16384, 2, false],
      [7232, 3, true],
      [4, 1, false],
    ],
  );
  assert.equal(new Set(all.slice(3, 6).map(({ part }) => part?.id)).size, 1);
});

test("tags", () => {
  assert.equal(tagOf("{{.Name}}/{{ .ID }}-{{upper .ImageName}}", subject), `web/${"ab".repeat(6)}-SHOP:1`);
  assert.equal(
    tagOf("{{.FullID}} {{.ImageID}} {{.Command}}", subject),
    `${"ab".repeat(32)} ${"cd".repeat(6)} serve now`,
  );
  assert.match(badTag("{{.Foo}}") ?? "", /can't evaluate field Foo/);
  assert.match(badTag("{{range .X}}") ?? "", /cannot read/);
});

for (const [type, Config, why] of [
  ["foo", {}, 'error looking up logging plugin foo: plugin "foo" not found'],
  ["json-file", { foo: "1" }, "unknown log opt 'foo' for json-file log driver"],
  ["local", { labels: "x" }, "unknown log opt 'labels' for log driver local"],
  ["syslog", { foo: "1" }, "unknown log opt 'foo' for syslog log driver"],
  ["journald", { "max-size": "1" }, "unknown log opt 'max-size' for journald log driver"],
  ["json-file", { mode: "foo" }, "logger: logging mode not supported: foo"],
  [
    "json-file",
    { "max-buffer-size": "1m" },
    "logger: max-buffer-size option is only supported with 'mode=non-blocking'",
  ],
  [
    "syslog",
    { mode: "non-blocking", "max-buffer-size": "x" },
    "error parsing option max-buffer-size: invalid size: 'x'",
  ],
  ["syslog", { "syslog-address": "foo://x" }, "unsupported scheme: 'foo'"],
  ["syslog", { "syslog-address": "unix:///nope" }, "stat /nope: no such file or directory"],
  ["syslog", { "syslog-facility": "nope" }, "invalid syslog facility"],
  ["syslog", { "syslog-format": "nope" }, "Invalid syslog format"],
  ["syslog", { "cache-disabled": "x" }, "invalid value for option cache-disabled: x"],
  ["json-file", { "cache-disabled": "x" }, "invalid value for option cache-disabled: x"],
  [
    "json-file",
    { compress: "true", "max-file": "1" },
    "compress cannot be true when max-file is less than 2 or max-size is not set",
  ],
] as const) {
  test(`refused: ${type} ${JSON.stringify(Config)}`, () =>
    assert.equal(logOptions({ Type: type, Config: Config as Record<string, string> }), why));
}

for (const Type of ["json-file", "local"]) {
  test(`${Type} is read with any word on a cache, as it needs none`, () => {
    const options = logOptions({ Type, Config: { "cache-disabled": "true", "cache-max-size": "1m" } });
    assert.ok(typeof options === "object" && options.file?.kind === Type);
  });
}

test("syslog over UDP: Docker's three forms", async () => {
  const server = createSocket("udp4");
  server.bind(0, "127.0.0.1");
  await once(server, "listening");
  const address = `udp://127.0.0.1:${server.address().port}`;
  const sent = async (options: Record<string, string>, one: Message): Promise<string> => {
    const all = { "syslog-address": address, ...options };
    const driver = await openSyslog(syslogOptions(all), facts(all));
    const got = once(server, "message");
    await driver.send(one);
    driver.close();
    return String((await got)[0]);
  };
  const short = "ab".repeat(6);
  const stamp = "[A-Z][a-z]{2} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d";
  assert.match(
    await sent({}, message("out")),
    new RegExp(`^<30>${stamp} ${short}\\[${process.pid}\\]: out\n$`),
  );
  const three = { "syslog-format": "rfc3164", tag: "{{.Name}}", "syslog-facility": "local3" };
  assert.match(
    await sent(three, message("err", "stderr")),
    new RegExp(`^<155>${stamp} \\S+ web\\[\\d+\\]: err\n$`),
  );
  const five = { "syslog-format": "rfc5424micro", tag: "{{.Name}}" };
  assert.match(
    await sent(five, message("out")),
    /^<30>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d) \S+ web \d+ web - out\n$/,
  );
  server.close();
});

test("syslog over TCP connects again, and refuses where nobody listens", async () => {
  const lines: string[] = [];
  const server = createServer((socket) => {
    socket.once("data", (data) => {
      lines.push(String(data));
      // The receiver is restarted after each message.
      socket.end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const options = syslogOptions({ "syslog-address": `tcp://127.0.0.1:${port}` });
  const driver = await openSyslog(options, facts());
  for (let n = 0; n < 3; n++) {
    const gone = once(server, "connection").catch(() => undefined);
    await driver.send(message(`line ${n}`));
    while (lines.length <= n) await new Promise(setImmediate);
    void gone;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  driver.close();
  assert.deepEqual(
    lines.map((line) => line.slice(-7)),
    ["line 0\n", "line 1\n", "line 2\n"],
  );
  server.close();
  await once(server, "close");
  await assert.rejects(openSyslog(options, facts()), /ECONNREFUSED|connect/i);
});

const can = needs(root(), program("python3"));

test("syslog to a unix socket", can, async () => {
  const path = join(directory, "log");
  await using log = await receiver(path);
  for (const scheme of ["unixgram", "unix"]) {
    const driver = await openSyslog(syslogOptions({ "syslog-address": `${scheme}://${path}` }), facts());
    await driver.send(message("hello"));
    assert.equal(driver.send(message("")), undefined);
    await driver.send(message("again", "stderr"));
    assert.match(await log.next(), /^<30>.*: hello\n$/);
    assert.match(await log.next(), /^<27>.*: again\n$/);
    driver.close();
  }
});

test("journald gets Docker's fields", can, async () => {
  const path = join(directory, "journal");
  assert.throws(() => openJournald(facts(), path), { message: "journald is not enabled on this host" });
  await using journal = await receiver(path);
  const driver = openJournald(facts({ labels: "a.b", "env-regex": "^X$", tag: "{{.Name}}" }), path);
  await driver.send(message("out"));
  await driver.send({ ...message("a\rb\nc", "stderr"), part: { id: "1f", ordinal: 2, last: true } });
  const fields = Object.fromEntries(
    (await journal.next())
      .trimEnd()
      .split("\n")
      .map((line) => line.split(/=(.*)/s).slice(0, 2)),
  ) as Record<string, string>;
  const { CONTAINER_LOG_EPOCH, ...rest } = fields;
  assert.match(CONTAINER_LOG_EPOCH ?? "", /^[0-9a-f]{64}$/);
  assert.deepEqual(rest, {
    MESSAGE: "out",
    PRIORITY: "6",
    SYSLOG_TIMESTAMP: "2026-01-02T03:04:05.000000006Z",
    CONTAINER_ID: "ab".repeat(6),
    CONTAINER_ID_FULL: subject.id,
    CONTAINER_NAME: "web",
    CONTAINER_TAG: "web",
    IMAGE_NAME: "shop:1",
    SYSLOG_IDENTIFIER: "web",
    CONTAINER_LOG_ORDINAL: "1",
    A_B: "c",
    X: "y=z",
  });
  const second = await journal.next();
  assert.ok(second.startsWith("MESSAGE\n\x05\0\0\0\0\0\0\0a\rb\nc\n"));
  for (const field of ["PRIORITY=3", "CONTAINER_PARTIAL_MESSAGE=true", "CONTAINER_PARTIAL_LAST=true"])
    assert.ok(second.includes(`${field}\n`), field);
  driver.close();
});

/** Takes messages when it is told to. */
function slowDriver() {
  const taken: string[] = [];
  const waiting: (() => void)[] = [];
  const driver: LogDriver = {
    send: ({ line }) => {
      taken.push(String(line));
      return new Promise((resolve) => waiting.push(resolve));
    },
    close: () => undefined,
  };
  const go = (): void => {
    for (const resolve of waiting.splice(0)) resolve();
  };
  return { driver, taken, go };
}

test("a slow receiver makes the container wait, or loses what does not fit", async () => {
  const blocking = slowDriver();
  const options = { lost: assert.fail as (error: Error) => void };
  const log = forwarding(noLog(), blocking.driver, { ...options, buffer: null });
  const wait = log.write("stdout", Buffer.from("one\ntwo\n"));
  assert.ok(wait);
  assert.equal(
    await Promise.race([wait.then(() => "done"), new Promise((resolve) => setImmediate(resolve, "waits"))]),
    "waits",
  );
  blocking.go();
  await wait;

  const losing = slowDriver();
  const lossy = forwarding(noLog(), losing.driver, { ...options, buffer: 10 });
  assert.equal(lossy.write("stdout", Buffer.from("123456\n1234\n12345678\n")), undefined);
  assert.deepEqual(losing.taken, ["123456", "1234"]);
  losing.go();
  await new Promise(setImmediate);
  lossy.write("stdout", Buffer.from("12345678\n"));
  assert.equal(losing.taken.at(-1), "12345678");
});

test("rotated files are compressed, and read all the same", async () => {
  const path = join(directory, "c.log");
  const log = logWriter(path, { maxSize: 10_000, maxFile: 4, compress: true }, (error) => {
    throw error;
  });
  const packed = () => readdirSync(directory).filter((name) => /^c\.log\.\d\.gz$/.test(name)).length;
  let n = 0;
  for (; n < 250; n++) log.write("stdout", Buffer.from(`line ${n}\n`));
  while (packed() < 1) await new Promise(setImmediate);
  for (; n < 2000; n++) {
    log.write("stdout", Buffer.from(`line ${n}\n`));
    if (n % 50 === 0) await new Promise(setImmediate);
  }
  while (packed() < 3) await new Promise((resolve) => setTimeout(resolve, 5));
  log.end();
  assert.deepEqual(
    readdirSync(directory)
      .filter((name) => name.startsWith("c.log"))
      .sort(),
    ["c.log", "c.log.1.gz", "c.log.2.gz", "c.log.3.gz"],
  );
  const read = async (tail: number | null): Promise<string[]> => {
    const lines: string[] = [];
    for await (const batch of readLog(path, 4, null, { tail, follow: false }))
      for (const entry of batch) lines.push(entry.log.trimEnd());
    return lines;
  };
  const all = await read(null);
  const first = Number(all[0]?.slice(5));
  assert.deepEqual(
    all,
    Array.from({ length: 2000 - first }, (_, index) => `line ${first + index}`),
  );
  assert.deepEqual(await read(300), all.slice(-300));
  assert.ok(readFileSync(`${path}.1.gz`).length < gzipSync(Buffer.alloc(0)).length + 2000);
});

import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import type { TestEngine } from "../support/engine.ts";
import { busyboxMissing } from "../support/fixtures.ts";
import { needs, root } from "../support/skip.ts";
import { suiteEngine } from "../support/suite.ts";
import { ask } from "./peer/ask.ts";

/** What Docker's clients never send: each is answered with a sentence or cut off, and the engine keeps serving. */
const options = needs(root(), busyboxMissing());
const IMAGE = "busybox:hostile";

let engine: TestEngine;
suiteEngine(options, IMAGE, (started) => {
  engine = started;
});

const serves = async (): Promise<void> =>
  assert.equal((await ask(engine.socket, { method: "GET", path: "/_ping" })).status, 200);

/** Sends pieces one after the other, then ends as told. Resolves to what came back once the connection is closed. */
function talk(pieces: readonly (string | Buffer)[], end: "half" | "cut" | "wait"): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ path: engine.socket, allowHalfOpen: true });
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
    });
    socket.on("error", () => undefined);
    socket.on("end", () => socket.end());
    socket.on("close", () => resolve(text));
    const next = (at: number): void => {
      const piece = pieces[at];
      if (piece !== undefined) socket.write(piece, () => setImmediate(() => next(at + 1)));
      else if (end === "half") socket.end();
      else if (end === "cut") socket.destroy();
    };
    next(0);
  });
}

const create = (length: number | string): string =>
  `POST /containers/create HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;

test("bodies that end early, connections that close early", options, async () => {
  for (const [pieces, end] of [
    [[create(100), '{"Image":'], "half"],
    [[create(100), '{"Image":'], "cut"],
    [["POST /containers/create HTTP/1.1\r\nHo"], "half"],
    [["POST /containers/create HTTP/1.1\r\nHo"], "cut"],
    [[], "half"],
    [
      ["POST /images/load HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5000\r\n\r\n", "short"],
      "half",
    ],
    [["POST /images/load HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "10\r\nabc"], "cut"],
    [["PUT /containers/x/archive?path=/ HTTP/1.1\r\nHost: x\r\nContent-Length: 10240\r\n\r\n"], "cut"],
    [["POST /build HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 9999\r\n\r\n", "x"], "half"],
  ] as const) {
    const text = await talk(pieces, end);
    assert.ok(text === "" || /^HTTP\/1\.1 [245]\d\d /.test(text), text);
    await serves();
  }
});

test("a request that comes byte by byte is answered", options, async () => {
  const body = JSON.stringify({ Image: "nothing:1", Cmd: ["x"] });
  const text = await talk([...`${create(body.length)}${body}`], "wait");
  assert.match(text, /^HTTP\/1\.1 404 /);
  assert.match(text, /No such image: nothing:1/);
});

test("bodies that are too large, too deep, or full of surprises", options, async () => {
  const image = { Image: IMAGE, Cmd: ["true"] };
  for (const [body, status] of [
    [`{"Image":"${"a".repeat(3_000_000)}"}`, 400],
    [`${"[".repeat(100_000)}${"]".repeat(100_000)}`, 400],
    [`{"Labels":${'{"a":'.repeat(5000)}1${"}".repeat(5000)}}`, 400],
    [JSON.stringify({ ...image, Env: Array.from({ length: 200_000 }, () => "A") }), 201],
    ['{"__proto__":{"Image":"x"},"constructor":1,"Image":"nothing:1","Cmd":["x"]}', 404],
    [`{"Image":"${IMAGE}","Cmd":["true"],"Labels":{"__proto__":"x"}}`, 201],
    [`{"Image":"${IMAGE}","Cmd":["true"],"HostConfig":{"Memory":1e400}}`, 400],
    [`{"Image":"${IMAGE}","Cmd":["true"],"HostConfig":{"Memory":99999999999999999999}}`, 400],
    [Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), 400],
  ] as const) {
    const answer = await ask(engine.socket, { method: "POST", path: "/containers/create", body });
    assert.equal(answer.status, status, answer.body.toString().slice(0, 300));
    const said = JSON.parse(answer.body.toString()) as { message?: string; Id?: string };
    assert.ok((said.message ?? said.Id ?? "").length > 5);
    assert.ok((said.message ?? "").length < 2000, "the sentence is as long as what was sent");
    if (said.Id) await ask(engine.socket, { method: "DELETE", path: `/containers/${said.Id}` });
    await serves();
  }
});

test("names and paths that lead elsewhere find nothing", options, async () => {
  for (const path of [
    "/containers/..%2f..%2f..%2fetc%2fpasswd/json",
    "/containers/%2e%2e/json",
    "/images/..%2f..%2fetc/json",
    "/volumes/..%2f..%2fetc",
    "/exec/..%2f..%2fetc/json",
    "/containers/%00/json",
    "/containers/a%0d%0aX-Injected:%20y/json",
    "/volumes/%C0%AE%C0%AE",
    `/containers/${"a".repeat(20_000)}/json`,
  ]) {
    const answer = await ask(engine.socket, { method: "GET", path });
    assert.ok([301, 400, 404].includes(answer.status), `${path.slice(0, 60)}: ${answer.status}`);
    assert.ok(!answer.headers.has("X-Injected"));
    await serves();
  }
  for (const name of ["../x", "a/b", ".", "..", "-x", "a b", "é", "x".repeat(300)]) {
    const path = `/containers/create?name=${encodeURIComponent(name)}`;
    const { status } = await ask(engine.socket, { method: "POST", path, body: { Image: IMAGE } });
    assert.equal(status, 400, name);
  }
});

test("many connections that say nothing do not keep others out", options, async () => {
  const idle = await Promise.all(
    Array.from(
      { length: 300 },
      () =>
        new Promise<ReturnType<typeof connect>>((resolve) => {
          const socket = connect(engine.socket, () => resolve(socket));
        }),
    ),
  );
  for (const [at, socket] of idle.entries()) if (at % 2 === 0) socket.write("POST /containers/create HT");
  await serves();
  for (const socket of idle) socket.destroy();
  await serves();
});

test("a NUL byte ends no path, no argument and no variable early", options, async () => {
  const changes: Readonly<Record<string, object>> = {
    argument: { Cmd: ["echo", "a\0b"] },
    program: { Cmd: ["/bin/true\0/bin/false"] },
    variable: { Env: ["A=b\0c"] },
    directory: { WorkingDir: "/tmp\0/elsewhere" },
    host: { Hostname: "a\0b" },
    tmpfs: { HostConfig: { Tmpfs: { "/proc\0/x": "" } } },
    bind: { HostConfig: { Binds: ["/tmp\0/etc:/mnt"] } },
    target: { HostConfig: { Binds: ["/tmp:/mnt\0/x"] } },
    masked: { HostConfig: { MaskedPaths: ["/proc/keys\0x"] } },
    sysctl: { HostConfig: { Sysctls: { "net.ipv4.ip_forward": "1\0" } } },
  };
  for (const [what, change] of Object.entries(changes)) {
    const body = { Image: IMAGE, Cmd: ["true"], NetworkDisabled: true, ...change };
    const made = await ask(engine.socket, { method: "POST", path: "/containers/create", body });
    if (made.status === 201) {
      const { Id } = JSON.parse(made.body.toString()) as { Id: string };
      const started = await ask(engine.socket, { method: "POST", path: `/containers/${Id}/start` });
      assert.ok(started.status >= 400, `${what}: ${started.status}`);
      assert.match(started.body.toString(), /NUL|invalid/i, what);
    } else assert.ok(made.status >= 400, `${what}: ${made.status} ${made.body.toString()}`);
  }
  await serves();
});

test(
  "filters are texts to the engine, not properties of its objects, and no pattern keeps it busy",
  options,
  async () => {
    await engine.ok([
      "create",
      "--name",
      "a".repeat(120),
      "--network",
      "none",
      "--label",
      "__proto__=x",
      IMAGE,
      "true",
    ]);
    await engine.ok(["volume", "create", "kept"]);
    const get = async (path: string, filters: object): Promise<unknown[]> => {
      const asked = encodeURIComponent(JSON.stringify(filters));
      const { body, status } = await ask(engine.socket, { method: "GET", path: `${path}filters=${asked}` });
      assert.equal(status, 200, body.toString());
      const said = JSON.parse(body.toString()) as unknown[] | { readonly Volumes: unknown[] };
      return Array.isArray(said) ? said : said.Volumes;
    };
    for (const label of ["constructor", "toString", "hasOwnProperty", "__defineGetter__", "constructor=x"]) {
      assert.deepEqual(await get("/containers/json?all=1&", { label: [label] }), [], label);
      assert.deepEqual(await get("/volumes?", { label: [label] }), [], label);
      assert.deepEqual(await get("/images/json?", { label: [label] }), [], label);
    }
    assert.equal((await get("/containers/json?all=1&", { label: ["__proto__=x"] })).length, 1);
    await engine.ok(["volume", "prune", "-f", "-a", "--filter", "label=constructor"]);
    await engine.ok(["container", "prune", "-f", "--filter", "label=toString"]);
    assert.match(await engine.ok(["volume", "ls", "-q"]), /^kept$/m);
    const begun = performance.now();
    for (const name of ["^(a+)+$!", "(((a*)*)*)*!", "^(a|aa)+!"])
      assert.deepEqual(await get("/containers/json?all=1&", { name: [name] }), []);
    assert.ok(performance.now() - begun < 5000);
    assert.equal((await get("/containers/json?all=1&", { name: ["^/?a{100,}$"] })).length, 1);
  },
);

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import dns from "dns-packet";
import { forward, framed } from "../../src/network/dns/forward.ts";
import { createResolver, type Resolver } from "../../src/network/dns/resolver.ts";
import { needs, program } from "../support/skip.ts";
import { DB, directory, GATEWAY, member, OUTSIDE, WEB } from "./members.ts";

const PORT = 5453;

test("what was answered before is answered again, until any name changes", async () => {
  const made = directory();
  const resolver = createResolver({ ...made, port: PORT });
  await resolver.listen(GATEWAY);
  try {
    for (let round = 0; round < 3; round++) assert.deepEqual(data(await ask("web")), ["127.53.0.2"]);
    // The same question of another asker, and one with other options, are other questions.
    assert.deepEqual(data(await ask("web", { from: "127.53.0.2", edns: 1232 })), ["127.53.0.2"]);
    assert.deepEqual(data(await ask("web", { from: "127.53.0.77" })), [], "a stranger gets nothing");
    assert.deepEqual(data(await ask("web", { type: "AAAA" })), ["fd53::2"]);
    made.add({ ...WEB, ipv4: "127.53.0.22" });
    for (let round = 0; round < 2; round++) assert.deepEqual(data(await ask("web")), ["127.53.0.22"]);
    made.remove("web-id", "n1");
    made.add(member({ names: ["other"], containerId: "web-id", ipv4: "127.53.0.22" }));
    assert.deepEqual(data(await ask("other")), ["127.53.0.22"]);
    // Who asked has gone, and another container has its address.
    made.remove("db-id", "n1");
    assert.deepEqual(data(await ask("other")), [], "nobody's address");
    made.add(member({ names: ["far"], network: { id: "n2", name: "far" }, ipv4: "127.53.0.3" }));
    assert.deepEqual(data(await ask("far")), ["127.53.0.3"]);
    // Both of an alias's addresses have their turn.
    const firsts = new Set<unknown>();
    made.add(member({ names: ["one", "both"], network: { id: "n2", name: "far" }, ipv4: "127.53.0.4" }));
    made.add(member({ names: ["two", "both"], network: { id: "n2", name: "far" }, ipv4: "127.53.0.5" }));
    for (let round = 0; round < 64 && firsts.size < 2; round++) firsts.add(data(await ask("both"))[0]);
    assert.equal(firsts.size, 2);
  } finally {
    resolver.close();
  }
});

interface Asked {
  readonly type?: dns.RecordType;
  readonly from?: string;
  readonly edns?: number;
}

/** What the types leave out. */
type Decoded = dns.DecodedPacket & { readonly rcode?: string };

/** Asks the resolver as a container would. */
async function ask(name: string, { type = "A", from = "127.53.0.3", edns }: Asked = {}): Promise<Decoded> {
  const socket = createSocket("udp4");
  socket.bind(0, from);
  await once(socket, "listening");
  const options = edns
    ? [{ type: "OPT", name: ".", udpPayloadSize: edns, options: [] } as unknown as dns.Answer]
    : [];
  socket.send(
    dns.encode({ type: "query", id: 7, flags: 256, questions: [{ type, name }], additionals: options }),
    PORT,
    GATEWAY,
  );
  const [bytes] = (await once(socket, "message")) as [Buffer];
  socket.close();
  const packet: Decoded = dns.decode(bytes);
  assert.equal(packet.id, 7);
  assert.equal(packet.flag_ra, true);
  return packet;
}

const data = ({ answers = [] }: dns.Packet): unknown[] =>
  answers.map((one) => ("data" in one ? one.data : one));

/** A resolver on the gateway, and a server outside that answers what `serve` says. */
async function scene(
  serve: (query: dns.DecodedPacket, socket: Socket, back: { port: number; address: string }) => void,
  names = directory().names,
): Promise<{ resolver: Resolver; outside: Socket } & Disposable> {
  const resolver = createResolver({ names, port: PORT, upstreamPort: PORT, patience: 300 });
  await resolver.listen(GATEWAY);
  const outside = createSocket("udp4");
  outside.bind(PORT, OUTSIDE);
  await once(outside, "listening");
  outside.on("message", (bytes, from) => serve(dns.decode(bytes), outside, from));
  return {
    resolver,
    outside,
    [Symbol.dispose]() {
      outside.close();
      resolver.close();
    },
  };
}

const answerWith =
  (address: string): Parameters<typeof scene>[0] =>
  (query, socket, back) => {
    const answers = query.questions?.map(({ name }) => ({ type: "A" as const, name, data: address })) ?? [];
    socket.send(
      dns.encode({
        type: "response",
        id: query.id ?? 0,
        flags: 0x180,
        questions: query.questions ?? [],
        answers,
      }),
      back.port,
      back.address,
    );
  };

test("containers get their answers, with Docker's time to live; NODATA is not NXDOMAIN", async () => {
  using _ = await scene(answerWith("9.9.9.9"));
  const web = await ask("WEB");
  assert.deepEqual(web.answers, [
    { name: "web", type: "A", ttl: 600, class: "IN", flush: false, data: "127.53.0.2" },
  ]);
  assert.equal(web.questions?.[0]?.name, "WEB");
  assert.deepEqual(data(await ask("web", { type: "AAAA" })), ["fd53::2"]);
  for (const [name, type] of [
    ["db", "AAAA"],
    ["db", "TXT"],
    ["web", "MX"],
  ] as const) {
    const none = await ask(name, { type });
    assert.deepEqual([none.rcode, none.answers?.length], ["NOERROR", 0], `${name} ${type}`);
  }
  assert.deepEqual(data(await ask("2.0.53.127.in-addr.arpa", { type: "PTR" })), ["web.shop"]);
  assert.deepEqual(data(await ask("al")).sort(), ["127.53.0.2", "127.53.0.3"]);
  const first = new Set<unknown>();
  for (let i = 0; i < 40; i++) first.add(data(await ask("al"))[0]);
  assert.equal(first.size, 2, "each of two has its turn");
  assert.deepEqual(data(await ask("example.org")), ["9.9.9.9"]);
  assert.equal((await ask("web", { from: "127.53.0.99" })).rcode, "REFUSED");
  assert.equal((await ask("web", { edns: 4096 })).additionals?.[0]?.type, "OPT");
});

test("what is too long for a datagram is said to be, and comes by TCP whole", async () => {
  const made = directory();
  for (let i = 0; i < 200; i++) made.add(member({ names: [`c${i}`, "many"], ipv4: `127.53.1.${i}` }));
  using _ = await scene(answerWith("9.9.9.9"), made.names);
  const short = await ask("many");
  assert.deepEqual([short.flag_tc, short.answers?.length], [true, 0]);
  assert.equal((await ask("many", { edns: 1232 })).flag_tc, true);
  const socket = connect({ host: GATEWAY, port: PORT, localAddress: "127.53.0.3" });
  const query = framed(dns.encode({ type: "query", id: 9, questions: [{ type: "A", name: "many" }] }));
  // Two on one connection, cut where it hurts.
  socket.write(query.subarray(0, 1));
  socket.write(Buffer.concat([query.subarray(1), query]));
  let got: Buffer = Buffer.alloc(0);
  for await (const part of socket) {
    got = Buffer.concat([got, part as Buffer]);
    const length = got.length > 2 ? got.readUInt16BE(0) + 2 : Number.POSITIVE_INFINITY;
    if (got.length >= 2 * length) break;
  }
  assert.equal(dns.decode(got.subarray(2)).answers?.length, 200);
});

test("the next server is asked when one is silent or refuses, and none of ours", async () => {
  const refusing = "127.53.9.2";
  const silent = "127.53.9.3";
  const made = directory([GATEWAY, refusing, silent, OUTSIDE]);
  using _ = await scene(answerWith("9.9.9.9"), made.names);
  const bad = createSocket("udp4").bind(PORT, refusing);
  bad.on("message", (bytes, from) => {
    bytes.writeUInt16BE(0x8182, 2);
    bad.send(bytes, from.port, from.address);
  });
  const quiet = createSocket("udp4").bind(PORT, silent);
  try {
    assert.deepEqual(data(await ask("example.org")), ["9.9.9.9"]);
  } finally {
    bad.close();
    quiet.close();
  }
});

test("an answer counts only from the asked server, with its id and its question", async () => {
  const liar = createSocket("udp4").bind(0, "127.53.9.9");
  const ids = new Set<number>();
  const ports = new Set<number>();
  using _ = await scene((query, socket, back) => {
    ids.add(query.id ?? 0);
    ports.add(back.port);
    const fake = (id: number, name: string): Buffer =>
      dns.encode({
        type: "response",
        id,
        questions: [{ type: "A", name }],
        answers: [{ type: "A", name, data: "6.6.6.6" }],
      });
    liar.send(fake(query.id ?? 0, "example.org"), back.port, back.address);
    socket.send(fake((query.id ?? 0) ^ 1, "example.org"), back.port, back.address);
    socket.send(fake(query.id ?? 0, "evil.org"), back.port, back.address);
    answerWith("9.9.9.9")(query, socket, back);
  });
  for (let i = 0; i < 20; i++) assert.deepEqual(data(await ask("example.org")), ["9.9.9.9"]);
  assert.ok(ids.size > 15 && ports.size > 5, `${ids.size} ids, ${ports.size} ports`);
  liar.close();
});

test("no server answers: SERVFAIL; nothing outside: the name does not exist", async () => {
  using _ = await scene(() => undefined);
  assert.equal((await ask("example.org")).rcode, "SERVFAIL");
  const made = directory();
  made.add({ ...DB, outside: false });
  using __ = {
    resolver: createResolver({ names: made.names, port: PORT + 1 }),
    [Symbol.dispose]() {
      this.resolver.close();
    },
  };
  await __.resolver.listen("127.53.0.5");
  const socket = createSocket("udp4").bind(0, "127.53.0.3");
  await once(socket, "listening");
  const query = dns.encode({ type: "query", id: 7, questions: [{ type: "A", name: "example.org" }] });
  socket.send(query, PORT + 1, "127.53.0.5");
  const [bytes] = (await once(socket, "message")) as [Buffer];
  assert.equal((dns.decode(bytes) as Decoded).rcode, "NXDOMAIN");
  socket.close();
});

test("a query by TCP is asked on by TCP", async () => {
  const server = createServer((socket) =>
    socket.on("data", (bytes: Buffer) => {
      const query = dns.decode(bytes.subarray(2));
      const answers = [{ type: "A" as const, name: "example.org", data: "8.8.8.8" }];
      const answer = dns.encode({
        type: "response",
        id: query.id ?? 0,
        questions: query.questions ?? [],
        answers,
      });
      socket.write(framed(answer));
    }),
  ).listen(PORT, OUTSIDE);
  await once(server, "listening");
  const query = dns.encode({ type: "query", id: 3, questions: [{ type: "A", name: "example.org" }] });
  const answer = await forward(query, "tcp", { servers: [OUTSIDE], port: PORT }, 1000);
  assert.deepEqual(answer && data(dns.decode(answer)), ["8.8.8.8"]);
  server.close();
});

test("a container cannot keep the others from asking", async () => {
  using _ = await scene(() => undefined);
  const flood = createSocket("udp4").bind(0, "127.53.0.2");
  await once(flood, "listening");
  const query = dns.encode({ type: "query", id: 1, questions: [{ type: "A", name: "example.org" }] });
  let refused = 0;
  flood.on("message", () => refused++);
  for (let i = 0; i < 190; i++) flood.send(query, PORT, GATEWAY);
  assert.deepEqual(data(await ask("web")), ["127.53.0.2"]);
  while (refused < 62) await once(flood, "message");
  flood.close();
});

test("hostile bytes neither end nor stall it", async () => {
  using _ = await scene(() => undefined);
  const socket = createSocket("udp4").bind(0, "127.53.0.3");
  await once(socket, "listening");
  const good = dns.encode({
    type: "query",
    id: 5,
    questions: [{ type: "A", name: "web.shop" }],
    additionals: [{ type: "OPT", name: ".", udpPayloadSize: 1232, options: [] } as unknown as dns.Answer],
  });
  let seed = 1;
  const random = (below: number): number => {
    // A fixed sequence, so that what fails can be seen again: the generator of Park and Miller.
    seed = (seed * 48271) % 2147483647;
    return seed % below;
  };
  for (let round = 0; round < 3000; round++) {
    const bytes = Buffer.from(good);
    for (let i = 0; i <= random(4); i++) bytes[random(bytes.length)] = random(256);
    const cut = bytes.subarray(0, random(3) ? bytes.length : random(bytes.length));
    socket.send(cut, PORT, GATEWAY);
    if (round % 50 === 0) assert.deepEqual(data(await ask("web")), ["127.53.0.2"]);
  }
  const crafted = [
    Buffer.alloc(0),
    Buffer.alloc(65000, 0xc0),
    // A pointer to itself, a label without its end, counts that lie.
    Buffer.from("000501000001000000000000c00c00010001", "hex"),
    Buffer.from("0005010000010000000000003f61", "hex"),
    Buffer.from("00050100ffffffffffffffff0000010001", "hex"),
    Buffer.from("00050100000100000000ffff0000010001", "hex"),
    // Other opcodes and classes.
    Buffer.from("0005280000010000000000000000010001", "hex"),
    Buffer.from("0005010000010000000000000000010003", "hex"),
  ];
  for (const bytes of crafted) socket.send(bytes, PORT, GATEWAY);
  assert.deepEqual(data(await ask("web")), ["127.53.0.2"]);
  socket.close();
  // By TCP: a length that lies, and one who never reads.
  const liar = connect(PORT, GATEWAY);
  liar.on("error", () => undefined);
  liar.write(Buffer.from("ffff", "hex"));
  await once(liar, "close");
  assert.deepEqual(data(await ask("web")), ["127.53.0.2"]);
});

test("an address that somebody else answers on is refused by name", async () => {
  const other = createSocket("udp4").bind(PORT, GATEWAY);
  await once(other, "listening");
  const resolver = createResolver({ names: directory().names, port: PORT });
  await assert.rejects(resolver.listen(GATEWAY), {
    name: "Refusal",
    message: /^Cannot answer names on 127\.53\.0\.1:5453: another program answers there/,
  });
  other.close();
  await once(other, "close");
  await resolver.listen(GATEWAY);
  await resolver.listen(GATEWAY);
  resolver.close();
});

test("dig reads the answers", needs(program("dig", "bind9-dnsutils")), async () => {
  using _ = await scene(answerWith("9.9.9.9"));
  // Without waiting for it in between: the resolver is in this process.
  const dig = async (...words: string[]): Promise<string> => {
    const child = spawn("dig", ["-b", "127.53.0.3", `@${GATEWAY}`, "-p", `${PORT}`, ...words]);
    let text = "";
    child.stdout.on("data", (part) => {
      text += part;
    });
    await once(child, "close");
    return text;
  };
  assert.equal(await dig("+short", "web"), "127.53.0.2\n");
  assert.equal(await dig("+short", "+tcp", "web.shop", "AAAA"), "fd53::2\n");
  assert.equal(await dig("+short", "-x", "127.53.0.3"), "db.shop.\n");
  assert.equal(await dig("+short", "+noedns", "example.org"), "9.9.9.9\n");
  const full = await dig("web");
  assert.match(
    full,
    /status: NOERROR.*\n.*flags: qr rd ra; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1/,
  );
  assert.match(full, /web\.\s+600\s+IN\s+A\s+127\.53\.0\.2/);
  assert.doesNotMatch(full, /WARNING|malformed/);
  assert.equal(spawnSync("dig", ["-v"]).status, 0);
});

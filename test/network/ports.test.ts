import assert from "node:assert/strict";
import { createSocket, type Socket as Datagram } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { test } from "node:test";
import { createAllocator } from "../../src/network/ports/allocator.ts";
import { publish, republish } from "../../src/network/ports/publish.ts";
import { isTranslated } from "../../src/network/ports/published.ts";
import { type PortRequest, portRequests } from "../../src/network/ports/request.ts";
import { portList, portMap } from "../../src/network/ports/summary.ts";

const EXPOSED = { ExposedPorts: { "80/tcp": {}, "90/udp": {} } };

/** Stands for a container: an address of loopback that nothing else uses. */
const CONTAINER = { container: "web", ipv4: { network: "n", address: "127.0.0.9" } };

test("what -p and -P ask for", () => {
  const asked = portRequests(EXPOSED, {
    PortBindings: {
      "81/tcp": [{ HostIp: "::1", HostPort: "8080-8082" }],
      "80/tcp": [{ HostPort: "80" }, { HostIp: "127.0.0.1", HostPort: "0" }],
    },
    PublishAllPorts: true,
  });
  assert.deepEqual(asked, [
    { containerPort: 80, protocol: "tcp", hostIp: "", hostPorts: { first: 80, last: 80 } },
    { containerPort: 80, protocol: "tcp", hostIp: "127.0.0.1", hostPorts: null },
    { containerPort: 81, protocol: "tcp", hostIp: "::1", hostPorts: { first: 8080, last: 8082 } },
    { containerPort: 90, protocol: "udp", hostIp: "", hostPorts: null },
  ]);
  assert.deepEqual(portRequests(EXPOSED, {}), []);
});

test("ports that cannot be are refused with Docker's sentence", () => {
  const refused: readonly (readonly [string, string, string | undefined, RegExp])[] = [
    ["80/tcp", "70000", undefined, /^invalid port specification: "70000"$/],
    ["80/tcp", "abc", undefined, /^invalid port specification: "abc"$/],
    ["80/tcp", "5-3", undefined, /^invalid port specification: "5-3"$/],
    ["65536/tcp", "80", undefined, /^invalid port specification: "65536"$/],
    ["0/tcp", "80", undefined, /^invalid port specification: "0"$/],
    ["80-81/tcp", "80", undefined, /^invalid port specification: "80-81"$/],
    ["80/foo", "80", undefined, /^invalid proto: foo/],
    ["80/tcp", "80", "1.2.3", /^invalid IP address "1.2.3"/],
  ];
  for (const [key, HostPort, HostIp = "", sentence] of refused) {
    assert.throws(
      () => portRequests({}, { PortBindings: { [key]: [{ HostIp, HostPort }] } }),
      { name: "Refusal", kind: "invalid", message: sentence },
      `${key} on ${HostIp}:${HostPort}`,
    );
  }
});

test("ephemeral ports go on from the last one and wrap around", () => {
  const allocator = createAllocator(() => [100, 102]);
  const first = allocator.ephemeral("tcp");
  assert.equal(first.next().value, 100);
  assert.deepEqual([...allocator.ephemeral("tcp")], [101, 102, 100]);
  assert.deepEqual([...allocator.ephemeral("udp")], [100, 101, 102]);
});

test("every address collides with the one that means all of its family", () => {
  const allocator = createAllocator();
  allocator.take("tcp", "127.0.0.1", 80);
  assert.equal(allocator.holder("tcp", "0.0.0.0", 80), "127.0.0.1");
  assert.equal(allocator.holder("tcp", "127.0.0.2", 80), undefined);
  assert.equal(allocator.holder("tcp", "::", 80), undefined);
  assert.equal(allocator.holder("udp", "127.0.0.1", 80), undefined);
  allocator.release("tcp", "127.0.0.1", 80);
  assert.equal(allocator.holder("tcp", "0.0.0.0", 80), undefined);
});

const one = (more: Partial<PortRequest>): PortRequest => ({
  protocol: "tcp",
  containerPort: 80,
  hostIp: "127.0.0.1",
  hostPorts: null,
  ...more,
});

/** A TCP server on an address that stands for a container's. */
async function serve(answer: (socket: Socket) => void, host = "127.0.0.9"): Promise<[Server, number]> {
  const server = createServer({ allowHalfOpen: true }, answer);
  server.listen(0, host);
  await once(server, "listening");
  return [server, (server.address() as AddressInfo).port];
}

test("a port is the same on both families, and taken for everybody else", async () => {
  const allocator = createAllocator();
  const ours = await publish(allocator, [one({ hostIp: "" })], CONTAINER);
  try {
    const [v4, v6] = ours.ports;
    assert.equal(v4?.hostIp, "0.0.0.0");
    assert.equal(v6?.hostIp, "::");
    assert.equal(v4?.hostPort, v6?.hostPort);
    assert.equal(v4 && isTranslated(v4), true);
    assert.equal(v6 && isTranslated(v6), false);
    const port = v4!.hostPort;
    const same = one({ hostPorts: { first: port, last: port } });
    await assert.rejects(publish(allocator, [same], CONTAINER), {
      kind: "failed",
      message: `Bind for 0.0.0.0:${port} failed: port is already allocated`,
    });
    // Another program is in the way: another allocator knows nothing of this one.
    await assert.rejects(publish(createAllocator(), [same], CONTAINER), {
      message: `failed to bind host port for 127.0.0.1:${port}:127.0.0.9:80/tcp: address already in use`,
    });
    assert.deepEqual(portMap(EXPOSED.ExposedPorts, ours.ports), {
      "80/tcp": [
        { HostIp: "0.0.0.0", HostPort: String(port) },
        { HostIp: "::", HostPort: String(port) },
      ],
      "90/udp": null,
    });
    // An image may say anything.
    assert.equal(portList({ "80-90/tcp": {}, "0/tcp": {}, x: {} }, []).length, 0);
    assert.deepEqual(portList(EXPOSED.ExposedPorts, ours.ports)[0], { PrivatePort: 90, Type: "udp" });
  } finally {
    ours.release();
  }
});

test("all ports or none, and a range gives the first that is free", async () => {
  const allocator = createAllocator();
  const target = CONTAINER;
  const [blocker, taken] = await serve(() => undefined, "127.0.0.1");
  const range = one({ hostPorts: { first: taken, last: taken + 20 } });
  const ours = await publish(allocator, [range], target);
  assert.notEqual(ours.ports[0]?.hostPort, taken);
  const free = ours.ports[0]!.hostPort;
  ours.release();
  const both = [
    one({ hostPorts: { first: free, last: free } }),
    one({ containerPort: 81, hostPorts: { first: taken, last: taken } }),
  ];
  await assert.rejects(publish(allocator, both, target), /address already in use/);
  // The first of the two was given back.
  const again = await publish(allocator, [both[0]!], target);
  again.release();
  const narrow = one({ hostPorts: { first: taken, last: taken } });
  allocator.take("tcp", "127.0.0.1", free);
  await assert.rejects(
    publish(allocator, [one({ hostPorts: { first: free, last: free + 0 } }), narrow], target),
    /port is already allocated/,
  );
  blocker.close();
  await assert.rejects(publish(allocator, [one({ hostIp: "198.51.100.7" })], target), {
    message: /^failed to bind host port for 198.51.100.7:\d+:127.0.0.9:80\/tcp: cannot assign requested/,
  });
});

test("TCP: ends of both directions, and back-pressure, go through", async () => {
  // Answers only after the client has ended its direction.
  const [server, port] = await serve((socket) => {
    let bytes = 0;
    socket.on("data", (part) => {
      bytes += part.length;
    });
    socket.on("end", () => socket.end(`${bytes}`));
  });
  const ours = await publish(createAllocator(), [one({ containerPort: port })], CONTAINER);
  const client = connect({ host: "127.0.0.1", port: ours.ports[0]!.hostPort, allowHalfOpen: true });
  await once(client, "connect");
  let answer = "";
  client.on("data", (part) => {
    answer += part;
  });
  client.end(Buffer.alloc(30_000_000));
  await once(client, "end");
  assert.equal(answer, "30000000");
  ours.release();
  server.close();
});

test("TCP: a reader that stops is waited for", async () => {
  const total = 64 << 20;
  let written = 0;
  let done = false;
  const [server, port] = await serve((socket) => {
    const part = Buffer.alloc(1 << 16);
    const more = (): void => {
      while (written < total) {
        written += part.length;
        if (!socket.write(part)) return;
      }
      done = true;
      socket.end();
    };
    socket.on("drain", more);
    more();
  });
  const ours = await publish(createAllocator(), [one({ containerPort: port })], CONTAINER);
  const client = connect({ host: "127.0.0.1", port: ours.ports[0]!.hostPort });
  client.once("data", () => client.pause());
  await once(client, "pause");
  // Nothing moves any more once every buffer on the way is full.
  let before = -1;
  while (before !== written) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.equal(done, false, `the whole ${total} bytes were taken without a reader`);
  let read = 0;
  client.on("data", (part) => {
    read += part.length;
  });
  client.resume();
  await once(client, "end");
  assert.ok(read > total - (1 << 20), `${read}`);
  ours.release();
  server.close();
});

test("TCP: where nobody listens the client is refused, not left waiting", async () => {
  const [server, port] = await serve(() => undefined);
  server.close();
  const ours = await publish(createAllocator(), [one({ containerPort: port })], CONTAINER);
  const client = connect({ host: "127.0.0.1", port: ours.ports[0]!.hostPort });
  const [reset] = (await once(client, "error")) as [NodeJS.ErrnoException];
  assert.equal(reset.code, "ECONNRESET");
  ours.release();
  const after = connect({ host: "127.0.0.1", port: ours.ports[0]!.hostPort });
  const [error] = (await once(after, "error")) as [NodeJS.ErrnoException];
  assert.equal(error.code, "ECONNREFUSED");
});

async function datagrams(host: string): Promise<[Datagram, number]> {
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  socket.bind(0, host);
  await once(socket, "listening");
  return [socket, socket.address().port];
}

test("UDP: each client has its own way back, from IPv6 to IPv4 too", async () => {
  const [server, port] = await datagrams("127.0.0.9");
  server.on("message", (bytes, from) => server.send(`${bytes} back`, from.port, from.address));
  const asked = ["127.0.0.1", "::1"].map((hostIp) => one({ protocol: "udp", containerPort: port, hostIp }));
  const ours = await publish(createAllocator(), asked, CONTAINER);
  const answers = await Promise.all(
    ours.ports.flatMap(({ hostIp, hostPort }) =>
      ["a", "b"].map(async (word) => {
        const [client] = await datagrams(hostIp);
        client.send(word, hostPort, hostIp);
        const [bytes] = (await once(client, "message")) as [Buffer];
        client.close();
        return `${bytes}`;
      }),
    ),
  );
  assert.deepEqual(answers, ["a back", "b back", "a back", "b back"]);
  ours.release();
  server.close();
});

test("after an engine restart the same ports are held again", async () => {
  const allocator = createAllocator();
  const [server, port] = await serve((socket) => socket.end("here"));
  const first = await publish(allocator, [one({ containerPort: port })], CONTAINER);
  first.release();
  const problems: string[] = [];
  const second = await republish(allocator, first.ports, (message) => problems.push(message));
  const client = connect({ host: "127.0.0.1", port: first.ports[0]!.hostPort });
  const [bytes] = (await once(client, "data")) as [Buffer];
  assert.equal(`${bytes}`, "here");
  assert.equal(problems.length, 0);
  const third = await republish(createAllocator(), first.ports, (message) => problems.push(message));
  assert.match(
    problems[0] ?? "",
    /^Cannot hold 127.0.0.1:\d+:127.0.0.9:\d+\/tcp again: address already in use$/,
  );
  third.release();
  second.release();
  server.close();
});

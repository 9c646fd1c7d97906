import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { waitingSockets } from "../../src/kernel/sockets.ts";

test("what listens, and what does not", () => {
  const text = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1
   1: 0100007F:1F91 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 2
   2: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 0 0 0 0 0 3
   3: 0000000000000000FFFF00000200A8C0:0051 00000000000000000000000000000000:0000 0A 0 0 0 0 0 4
   4: 000050FD000000000000000002000000:0052 00000000000000000000000000000000:0000 07 0 0 0 0 0 5
nonsense`;
  assert.deepEqual(waitingSockets(text), [
    { address: "127.0.0.1", port: 8080 },
    { address: "::1", port: 80 },
    { address: "192.168.0.2", port: 81 },
    { address: "fd50:0:0:0:0:0:0:2", port: 82 },
  ]);
});

test("this process's own sockets, as the kernel tells of them", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = createSocket("udp6").bind(0, "::1");
  await once(socket, "listening");
  const there = (file: string, address: string, port: number): boolean =>
    waitingSockets(readFileSync(`/proc/self/net/${file}`, "utf8")).some(
      (one) => one.address === address && one.port === port,
    );
  assert.ok(there("tcp", "127.0.0.1", (server.address() as AddressInfo).port));
  assert.ok(there("udp6", "::1", socket.address().port));
  server.close();
  socket.close();
});

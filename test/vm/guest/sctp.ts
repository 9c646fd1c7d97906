import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { call, close, from, mem, num, space, struct } from "../../../src/plan/build.ts";
import { compile } from "../../../src/plan/compile.ts";
import type { Step } from "../../../src/plan/step.ts";
import { ask, inside, otherHost, remove, run, startEngine } from "./engine.ts";

/** SCTP to a published port, with programs made of plans: no runtime has its sockets. Prints what was found. */

const IPPROTO_SCTP = 132;
const PORT = 80;
const WORD = new TextEncoder().encode("hello\n");
const found: Record<string, unknown> = {};

/** struct sockaddr_in (ip(7)). */
const address = (text: string, port: number) =>
  struct([
    Uint8Array.of(
      2,
      0,
      port >> 8,
      port & 255,
      ...text.split(".").map(Number),
      ...new Array<number>(8).fill(0),
    ),
  ]);
const socket: Step = call("socket", [num(2), num(1), num(IPPROTO_SCTP)], "SCTP", { result: "socket" });

function program(name: string, steps: readonly Step[]): string {
  const path = `/run/${name}`;
  writeFileSync(path, compile({ steps }).elf, { mode: 0o755 });
  return path;
}

/** Answers one association with a word, and prints who it was. */
const peer = space(16, "peer");
const server = program("server", [
  socket,
  call("bind", [from("socket"), mem(address("0.0.0.0", PORT)), num(16)], "bind"),
  call("listen", [from("socket"), num(1)], "listen"),
  call("write", [num(1), mem({ kind: "bytes", bytes: WORD }), num(WORD.length)], "ready"),
  call("accept", [from("socket"), mem(peer), mem(struct([Uint8Array.of(16, 0, 0, 0)]))], "accept", {
    result: "client",
  }),
  call("write", [from("client"), mem({ kind: "bytes", bytes: WORD }), num(WORD.length)], "answer"),
  call("write", [num(1), mem(peer), num(16)], "who it was"),
  close("client", "close it"),
]);
const client = (to: string, port: number): string =>
  program("client", [
    socket,
    call("connect", [from("socket"), mem(address(to, port)), num(16)], "connect"),
    call("read", [from("socket"), mem(space(16, "answer")), num(16)], "read"),
    call("write", [num(1), mem(space(16, "answer")), num(WORD.length)], "say it"),
  ]);

// Another host, on a wire.
const far = await otherHost();
inside(
  0,
  "sh",
  "-euc",
  `/usr/sbin/ip link add wire type veth peer name far netns ${far}; ip addr add 10.7.0.1/24 dev wire; ip link set wire up`,
);
inside(far, "sh", "-euc", "ip addr add 10.7.0.2/24 dev far; ip link set far up");
await startEngine();
await ask("POST", "/networks/create", { Name: "lan", IPAM: { Config: [{ Subnet: "10.20.0.0/24" }] } });
const web = await run("web", "lan", { PortBindings: { [`${PORT}/sctp`]: [{ HostPort: "8080" }] } });
const other = await run("other", "lan");
found.refused = web.refused || other.refused;
const shown = (await ask("GET", "/containers/web/json")).NetworkSettings as { Ports: unknown };
found.ports = shown.Ports;

/** @returns the answer, and as whom the container sees the client */
async function talk(pid: number, to: string, port: number): Promise<unknown> {
  const listening = spawn("nsenter", ["-t", String(web.pid), "-n", server], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let got = Buffer.alloc(0);
  listening.stdout.on("data", (part: Buffer) => (got = Buffer.concat([got, part])));
  await once(listening.stdout, "data");
  const words = pid === 0 ? [] : ["nsenter", "-t", String(pid), "-n"];
  const all = ["timeout", "5", ...words, client(to, port)];
  const { stdout } = spawnSync(all[0]!, all.slice(1), { encoding: "utf8" });
  if (stdout === "") listening.kill("SIGKILL");
  if (listening.exitCode === null && listening.signalCode === null) await once(listening, "close");
  return [stdout.trim(), [...got.subarray(WORD.length + 4, WORD.length + 8)].join(".")];
}
found.within = await talk(other.pid, web.address, PORT);
found.elsewhere = await talk(far, "10.7.0.1", 8080);
found.host = await talk(0, "10.7.0.1", 8080);
found.loopback = await talk(0, "127.0.0.1", 8080);
found.taken = (await run("third", "lan", { PortBindings: { "81/sctp": [{ HostPort: "8080" }] } })).refused;
await remove("web", "other", "third");
console.log(`found ${JSON.stringify(found)}`);
process.exit();

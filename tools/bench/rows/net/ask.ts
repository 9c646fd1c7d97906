import { createSocket } from "node:dgram";
import { once } from "node:events";
import dns from "dns-packet";

/**
 * A DNS client, run in the network of a container: `ask.ts SERVER NAME rate MS` prints answers per second with 16
 * questions on the way, `… latency COUNT` the median microseconds of one after the other. `ask.ts serve ADDRESS` is a
 * server that answers everything at once, and says when it does.
 */
const [first = "", second = "", mode = "", amount = "0"] = process.argv.slice(2);
const WINDOW = 16;

async function serve(address: string): Promise<void> {
  const socket = createSocket("udp4");
  socket.on("message", (bytes, { port, address: asker }) => {
    const { id = 0, questions = [] } = dns.decode(bytes);
    const answers = questions.map(({ name }) => ({ type: "A" as const, name, ttl: 60, data: "192.0.2.1" }));
    socket.send(dns.encode({ type: "response", id, questions, answers }), port, asker);
  });
  socket.bind(53, address);
  await once(socket, "listening");
  console.log("ready");
}

async function connected(server: string) {
  const socket = createSocket("udp4");
  socket.connect(53, server);
  await once(socket, "connect");
  return socket;
}

const question = (name: string, id: number): Buffer =>
  dns.encode({ type: "query", id, flags: dns.RECURSION_DESIRED, questions: [{ type: "A", name }] });

async function rate(server: string, name: string, milliseconds: number): Promise<number> {
  const socket = await connected(server);
  let answered = 0;
  socket.on("message", (bytes: Buffer) => {
    answered++;
    socket.send(question(name, (bytes.readUInt16BE(0) + WINDOW) & 0xffff));
  });
  for (let id = 0; id < WINDOW; id++) socket.send(question(name, id));
  await new Promise((resolve) => setTimeout(resolve, milliseconds / 4));
  const [before, began] = [answered, performance.now()];
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  const found = ((answered - before) * 1000) / (performance.now() - began);
  socket.close();
  return found;
}

async function latency(server: string, name: string, count: number): Promise<number> {
  const socket = await connected(server);
  const samples: number[] = [];
  for (let id = 0; id < count; id++) {
    const began = performance.now();
    socket.send(question(name, id));
    await once(socket, "message");
    samples.push((performance.now() - began) * 1000);
  }
  socket.close();
  // The first ones load code.
  const sorted = samples.slice(count >> 2).sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

if (first === "serve") await serve(second);
else if (mode === "rate") console.log(await rate(first, second, Number(amount)));
else console.log(await latency(first, second, Number(amount)));

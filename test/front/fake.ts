import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RECORD } from "../../src/wire/front.ts";

/** Listens where an engine would. @param answer gets what came first */
export async function fakeEngine(answer: (socket: Socket, request: Buffer) => void) {
  const directory = mkdtempSync(join(tmpdir(), "cais-fake-"));
  const path = join(directory, "cais.sock");
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined);
    socket.once("data", (chunk) => answer(socket, Buffer.from(chunk)));
  });
  server.listen(path);
  await once(server, "listening");
  return {
    env: { ...process.env, CAIS_HOST: `unix://${path}` },
    [Symbol.asyncDispose]: async () => {
      server.close();
      rmSync(directory, { recursive: true });
    },
  };
}

/** One order of an engine to a front. */
export function order(kind: number, value: number): Buffer {
  const bytes = Buffer.alloc(RECORD.size);
  bytes.writeBigUInt64LE(BigInt(kind), RECORD.kind);
  bytes.writeBigUInt64LE(BigInt(value), RECORD.value);
  return bytes;
}

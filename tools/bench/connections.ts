import { connect, type Socket } from "node:net";

/** As many at once as the queue of a listening socket surely takes. */
const GROUP = 100;

/** Opens connections with one request each; resolves when each has the head of its answer, which is then paused. */
export async function openAll(path: string, request: string, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let left = count; left > 0; left -= GROUP) {
    const group = Array.from({ length: Math.min(GROUP, left) }, () => open(path, request));
    sockets.push(...(await Promise.all(group)));
  }
  return sockets;
}

function open(path: string, request: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("error", reject);
    socket.once("data", () => {
      socket.pause();
      resolve(socket);
    });
    socket.write(`${request} HTTP/1.1\r\nHost: bench\r\n\r\n`);
  });
}

/** Resolves when `text` has come that often on every connection. */
export async function hearAll(sockets: readonly Socket[], text: string, times: number): Promise<void> {
  await Promise.all(
    sockets.map(
      (socket) =>
        new Promise<void>((resolve, reject) => {
          let left = times;
          let rest = "";
          socket.once("close", () => reject(new Error("A follower was let go")));
          socket.on("data", (chunk: Buffer) => {
            const parts = (rest + chunk.toString("latin1")).split(text);
            left -= parts.length - 1;
            rest = parts.at(-1)?.slice(-text.length) ?? "";
            if (left <= 0) resolve();
          });
          socket.resume();
        }),
    ),
  );
}

/** Reads on every connection until the other side has ended it. */
export async function endsOf(sockets: readonly Socket[]): Promise<void> {
  await Promise.all(
    sockets.map(
      (socket) =>
        new Promise<void>((resolve, reject) => {
          socket.once("error", reject);
          socket.once("close", resolve);
          socket.resume();
        }),
    ),
  );
}

/** Reads an answer to its end. @returns the bytes */
export function readAll(path: string, request: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let size = 0;
    socket.once("error", reject);
    socket.on("data", (chunk: Buffer) => {
      size += chunk.length;
    });
    socket.once("end", () => resolve(size));
    socket.write(`${request} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n`);
  });
}

/** Closes them all and resolves when they are closed. */
export async function closeAll(sockets: readonly Socket[]): Promise<void> {
  const closed = Promise.all(
    sockets.map((socket) => {
      socket.removeAllListeners("close");
      return new Promise((resolve) => socket.once("close", resolve));
    }),
  );
  for (const socket of sockets) socket.destroy();
  await closed;
}

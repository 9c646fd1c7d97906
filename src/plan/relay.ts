import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdirSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { ERRNO } from "../kernel/errno.ts";
import { call, num, struct } from "./build.ts";
import { compile } from "./compile.ts";
import { writeProgram } from "./run.ts";
import type { Plan } from "./step.ts";

/** Sends datagrams to a unix socket: what neither Node nor Bun can. */
export interface Relay {
  /**
   * Resolves once the message is with the receiver (who may make it wait).
   * @throws Error whose `code` is the errno's name: ENOENT or ECONNREFUSED when nobody listens there
   */
  send(message: Uint8Array): Promise<void>;
  close(): void;
}

/** A log message of 16 KiB with everything around it. */
const LONGEST = 256 * 1024;
/** include/linux/socket.h, include/linux/net.h */
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
/** struct sockaddr_un (unix(7)): the family, then the path. */
const SUN_PATH = 108;

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(ERRNO).map(([name, number]) => [number, name]),
);

/** The plan of a relay: a socket without a name, and the loop. */
export function relayPlan(path: string): Plan {
  const name = Buffer.from(path);
  if (name.length >= SUN_PATH)
    throw new Error(`Cannot send to ${path}: a socket's path has at most 107 bytes`);
  const bytes = new Uint8Array(2 + SUN_PATH);
  new DataView(bytes.buffer).setUint16(0, AF_UNIX, true);
  bytes.set(name, 2);
  const why = `send messages to ${path}`;
  const type = num(SOCK_DGRAM | SOCK_CLOEXEC, "SOCK_DGRAM|SOCK_CLOEXEC");
  return {
    steps: [
      call("socket", [num(AF_UNIX, "AF_UNIX"), type, num(0)], why, { result: "socket" }),
      {
        kind: "relay",
        why,
        socket: "socket",
        address: struct([bytes], "sockaddr_un"),
        addressLength: 2 + name.length + 1,
        size: LONGEST,
      },
    ],
  };
}

let counter = 0;

/** Starts a relay; it ends with this process. @param directory where its program is written for a moment */
export function openRelay(path: string, directory: string): Relay {
  const { elf } = compile(relayPlan(path));
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const program = join(directory, `relay-${process.pid}-${counter++}`);
  writeProgram(program, elf);
  let child: ChildProcessWithoutNullStreams;
  try {
    child = spawn(program, [], { argv0: `cais-relay ${path}`, stdio: ["pipe", "pipe", "pipe"], env: {} });
  } finally {
    unlinkSync(program);
  }
  const waiting: { resolve(): void; reject(error: Error): void }[] = [];
  let results: Buffer = Buffer.alloc(0);
  child.stdout.on("data", (chunk: Buffer) => {
    results = Buffer.concat([results, chunk]);
    for (; results.length >= 8; results = results.subarray(8)) {
      const result = Number(results.readBigInt64LE(0));
      const one = waiting.shift();
      if (result >= 0) one?.resolve();
      else one?.reject(failure(path, NAMES.get(-result) ?? `errno ${-result}`));
    }
  });
  child.stdin.on("error", () => undefined);
  child.on("error", () => undefined);
  child.on("close", () => {
    for (const one of waiting.splice(0)) one.reject(failure(path, "EPIPE"));
  });
  child.unref();
  return {
    send(message) {
      if (message.length > LONGEST) return Promise.reject(failure(path, "EMSGSIZE"));
      if (child.exitCode !== null || child.signalCode !== null) return Promise.reject(failure(path, "EPIPE"));
      const head = Buffer.alloc(4);
      head.writeUInt32LE(message.length);
      child.stdin.write(head);
      child.stdin.write(message);
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    close: () => void child.stdin.end(),
  };
}

const failure = (path: string, code: string): Error =>
  Object.assign(new Error(`Cannot send to ${path}: ${code}`), { code });

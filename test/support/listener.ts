import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";

/** Takes one listener, prints what came with it, and answers its calls with the error number 123 (ENOMEDIUM). */
const AGENT = `
import array, fcntl, os, socket, struct, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
print("ready", flush=True)
for _ in range(int(sys.argv[2])):
    agent, _ = server.accept()
    text, control, flags, address = agent.recvmsg(65536, 64)
    while True:
        more = agent.recv(65536)
        if not more: break
        text += more
    listener = array.array("i", control[0][2])[0]
    print(text.decode(), flush=True)
    while True:
        notice = bytearray(80)
        try: fcntl.ioctl(listener, 0xc0502100, notice)
        except OSError: break
        call, = struct.unpack_from("=Q", notice, 0)
        fcntl.ioctl(listener, 0xc0182101, bytearray(struct.pack("=QqiI", call, 0, -123, 0)))
        break
    os.close(listener)
`;

/** An agent at `path` that takes so many listeners, one after the other; the first line says that it is there. */
export function agent(
  path: string,
  times: number,
): { readonly process: ChildProcess; readonly lines: AsyncIterator<string> } {
  rmSync(path, { force: true });
  const process = spawn("python3", ["-c", AGENT, path, String(times)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  async function* lines() {
    let rest = "";
    for await (const chunk of process.stdout) {
      const parts = (rest + String(chunk)).split("\n");
      rest = parts.pop() ?? "";
      yield* parts;
    }
  }
  return { process, lines: lines() };
}

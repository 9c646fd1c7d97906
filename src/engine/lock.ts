import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { isAlive, startTime } from "../kernel/process.ts";
import { conflict } from "./refuse.ts";

/** The right to work on a root directory. It ends with its holder, however that ends. */
export interface Lock {
  release(): void;
}

/**
 * Takes the root for this process. Node has no `flock`, so two things stand for it: an abstract socket named
 * after the directory's device and inode, which the kernel takes back with its holder, and a file with the
 * holder's pid and start time, which also tells engines in other network namespaces.
 * @throws Refusal when another engine has it
 */
export async function lockRoot(root: string): Promise<Lock> {
  mkdirSync(root, { recursive: true, mode: 0o711 });
  const { dev, ino } = statSync(root);
  const server = await listen(`\0cais-root-${dev}-${ino}`);
  const file = join(root, "engine.pid");
  const holder = server ? holderOf(file) : (holderOf(file) ?? "unknown");
  if (!server || holder) {
    server?.close();
    throw conflict(
      `another engine (process ${holder}) works on ${root}: use that one, stop it, or choose another directory with --root`,
    );
  }
  writeFileSync(`${file}.new`, `${process.pid} ${startTime(process.pid)}\n`, { mode: 0o644 });
  renameSync(`${file}.new`, file);
  return {
    release() {
      rmSync(file, { force: true });
      server.close();
    },
  };
}

function listen(name: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(null);
      else reject(error);
    });
    server.listen(name, () => {
      server.unref();
      resolve(server);
    });
  });
}

/** The living process that the file names, if it is not this one. */
function holderOf(file: string): string | null {
  try {
    const [pid = "", started] = readFileSync(file, "utf8").trim().split(" ");
    if (Number(pid) === process.pid || started === undefined) return null;
    return isAlive({ pid: Number(pid), startTime: started }) ? pid : null;
  } catch {
    return null;
  }
}

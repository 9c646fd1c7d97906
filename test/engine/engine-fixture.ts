import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { busyboxMissing } from "../support/fixtures.ts";
import { needs, root } from "../support/skip.ts";

/** An engine in a process of its own, so that it can be killed. */
export interface TestEngine {
  readonly directory: string;
  readonly socket: string;
  /** One request; the answer's status and text. */
  ask(method: string, path: string, body?: object | Uint8Array): Promise<{ status: number; text: string }>;
  /** As `ask`, but throws unless it went well, and parses. */
  json(method: string, path: string, body?: object): Promise<Record<string, unknown>>;
  kill(signal: "SIGKILL" | "SIGTERM"): Promise<void>;
  start(): Promise<void>;
  /** Removes containers and files. */
  end(): Promise<void>;
}

const BUSYBOX = "/bin/busybox";

/** Options of the tests here: why they cannot run on this machine, where they cannot. */
export const options = needs(root(), busyboxMissing());

/** One engine for all tests of the file that calls this, with a busybox image; none where they are skipped. */
export function suiteEngine(started: (engine: TestEngine) => void): void {
  let engine: TestEngine | undefined;
  before(async () => {
    if (options.skip !== undefined) return;
    engine = await testEngine();
    started(engine);
  });
  after(() => engine?.end());
}

/** Starts one on directories of its own, with a busybox image. */
async function testEngine(): Promise<TestEngine> {
  const directory = mkdtempSync(join(tmpdir(), "cais-engine-"));
  const socket = join(directory, "cais.sock");
  const program = join(directory, "serve.ts");
  const serve = join(import.meta.dirname, "../../src/api/serve.ts");
  const options = { root: join(directory, "root"), run: join(directory, "run"), hosts: [`unix://${socket}`] };
  writeFileSync(
    program,
    `import { serve } from ${JSON.stringify(serve)};\nawait serve({ ...${JSON.stringify(options)}, logLevel: "info", readyFd: 3 });\n`,
  );
  let child: ChildProcess | null = null;

  const request = (method: string, path: string, body?: object | Uint8Array) =>
    new Promise<{ status: number; text: string }>((resolve, reject) => {
      const bytes = body === undefined ? "" : body instanceof Uint8Array ? body : JSON.stringify(body);
      const headers = {
        "content-type": body instanceof Uint8Array ? "application/x-tar" : "application/json",
        "content-length": Buffer.byteLength(bytes),
      };
      const sent = http.request({ socketPath: socket, method, path, headers }, (answer) => {
        const parts: Buffer[] = [];
        answer.on("data", (part: Buffer) => parts.push(part));
        answer.on("end", () =>
          resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(parts).toString() }),
        );
      });
      sent.on("error", reject);
      sent.end(bytes);
    });

  const engine: TestEngine = {
    directory,
    socket,
    ask: request,
    async json(method, path, body) {
      const { status, text } = await request(method, path, body);
      if (status >= 400) throw new Error(`${method} ${path}: ${status} ${text}`);
      return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
    },
    async kill(signal) {
      const dying = child;
      if (!dying) return;
      child = null;
      const gone = new Promise((resolve) => dying.once("exit", resolve));
      dying.kill(signal);
      await gone;
    },
    async start() {
      const begun = spawn(process.execPath, [program], { stdio: ["ignore", "ignore", "inherit", "pipe"] });
      child = begun;
      await new Promise<void>((resolve, reject) => {
        begun.stdio[3]?.once("data", () => resolve());
        begun.once("exit", (code) => reject(new Error(`The engine ended with ${code}`)));
      });
    },
    async end() {
      if (child) {
        const all = JSON.parse((await request("GET", "/containers/json?all=1")).text) as { Id: string }[];
        for (const { Id } of all) await request("DELETE", `/containers/${Id}?force=1&v=1`);
        await engine.kill("SIGTERM");
      }
      rmSync(directory, { recursive: true, force: true });
    },
  };
  await engine.start();
  await importBusybox(engine);
  return engine;
}

const APPLETS = ["sh", "cat", "echo", "sleep", "true", "ls", "seq", "id", "hostname", "dd", "yes"];

async function importBusybox(engine: TestEngine): Promise<void> {
  const root = join(engine.directory, "busybox");
  mkdirSync(join(root, "bin"), { recursive: true });
  mkdirSync(join(root, "tmp"));
  copyFileSync(BUSYBOX, join(root, "bin/busybox"));
  for (const applet of APPLETS) symlinkSync("busybox", join(root, "bin", applet));
  const tar = spawn("tar", ["-C", root, "-cf", "-", "."], { stdio: ["ignore", "pipe", "inherit"] });
  const parts: Buffer[] = [];
  for await (const part of tar.stdout) parts.push(part as Buffer);
  const { status, text } = await engine.ask(
    "POST",
    "/images/create?fromSrc=-&repo=busybox&tag=test",
    new Uint8Array(Buffer.concat(parts)),
  );
  if (status !== 200) throw new Error(text);
}

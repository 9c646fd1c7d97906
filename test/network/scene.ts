import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CAIS, command, type Ended } from "../support/cais.ts";
import { startEngine, type TestEngine } from "../support/engine.ts";
import { busyboxTar } from "../support/fixtures.ts";

/**
 * An engine on a host of its own, and another host beside it, each a network namespace: the machine's links and rules
 * are neither seen nor touched. Both hosts have one address of each family on the wire between them.
 */
export interface Neighbourhood extends AsyncDisposable {
  readonly engine: TestEngine;
  /** Runs a command on the engine's host. */
  readonly here: (...words: readonly string[]) => Promise<Ended>;
  /** Runs a command on the other host. */
  readonly there: (...words: readonly string[]) => Promise<Ended>;
  /** Starts one on either, and waits for its first line; it is ended with the scene. */
  readonly start: (where: "here" | "there", ...words: readonly string[]) => Promise<ChildProcess>;
  /** As `start`, in the network namespace of a container: programs that its image has not. */
  readonly startIn: (container: string, ...words: readonly string[]) => Promise<ChildProcess>;
  /** Runs a program of the machine in the network namespace of a container. */
  readonly inside: (container: string, ...words: readonly string[]) => Promise<Ended>;
  /** Removes all containers. */
  readonly clear: () => Promise<void>;
  /** One request to the engine; throws unless it went well. */
  readonly ask: (method: string, path: string, body?: object) => Promise<unknown>;
  /** `nsenter` and its arguments, to run something on one of them. */
  readonly enter: Record<"here" | "there", readonly string[]>;
}

/** What a shell in a container waits with until somebody there listens on port 80. */
export const LISTENS = "until grep -q ':0050 .* 0A ' /proc/net/tcp*; do sleep 0.05; done";

/** The engine's host on the wire. */
export const HERE = { ipv4: "10.99.0.1", ipv6: "fd99::1" } as const;
/** The other one. */
export const THERE = { ipv4: "10.99.0.2", ipv6: "fd99::2" } as const;

/** A container's command: a web server that says a word, which the shell may have to work out. */
export const webServer = (word: string): readonly string[] => [
  ...["sh", "-c"],
  `mkdir /www; echo ${word} > /www/index.html; exec httpd -f -h /www -p 80`,
];

const WIRE = `
ip link set lo up
ip link add wire type veth peer name wire netns "$1"
ip addr add ${HERE.ipv4}/24 dev wire; ip addr add ${HERE.ipv6}/64 dev wire nodad; ip link set wire up
ip route add default via ${THERE.ipv4}
nsenter -n -t "$1" sh -c '
  ip link set lo up
  ip addr add ${THERE.ipv4}/24 dev wire; ip addr add ${THERE.ipv6}/64 dev wire nodad; ip link set wire up'
`;

/** Two empty hosts with a wire, an engine on one of them, and the image `busybox`. */
export async function neighbourhood(args: readonly string[] = []): Promise<Neighbourhood> {
  const children: ChildProcess[] = [];
  const home = mkdtempSync(join(tmpdir(), "cais-hosts-"));
  const namespace = async (): Promise<number> => {
    // It holds the namespace, and says when it is there.
    const child = spawn("unshare", ["-n", "sh", "-c", "echo; exec sleep 1000000"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    children.push(child);
    await once(child.stdout, "data");
    return child.pid ?? 0;
  };
  const end = async (): Promise<void> => {
    for (const child of children.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    rmSync(home, { recursive: true, force: true });
  };
  const [host, other] = [await namespace(), await namespace()];
  const enter = {
    here: ["nsenter", "-n", "-t", `${host}`],
    there: ["nsenter", "-n", "-t", `${other}`],
  };
  const wired = spawnSync("nsenter", ["-n", "-t", `${host}`, "sh", "-euc", WIRE, "sh", `${other}`], {
    encoding: "utf8",
  });
  if (wired.status !== 0) throw new Error(`Cannot make two hosts: ${wired.stderr}`);

  // What the engine's tests run is one program: this one enters the host first.
  const program = join(home, "cais");
  writeFileSync(program, `#!/bin/sh\nexec ${enter.here.join(" ")} '${CAIS}' "$@"\n`);
  chmodSync(program, 0o755);
  const engine = await startEngine(args, program);
  await engine.ok(["import", busyboxTar(), "busybox"]);
  const run = (where: "here" | "there", words: readonly string[]): Promise<Ended> =>
    command("nsenter", [...enter[where].slice(1), ...words]);
  const begin = async (words: readonly string[]): Promise<ChildProcess> => {
    const child = spawn("nsenter", words, { stdio: ["ignore", "pipe", "inherit"] });
    children.push(child);
    await once(child.stdout, "data");
    return child;
  };
  const enterContainer = async (name: string): Promise<readonly string[]> => [
    "-n",
    "-t",
    await engine.ok(["inspect", "-f", "{{.State.Pid}}", name]),
  ];
  return {
    engine,
    enter,
    here: (...words) => run("here", words),
    there: (...words) => run("there", words),
    ask: (method, path, body) => ask(engine.socket, method, path, body),
    start: (where, ...words) => begin([...enter[where].slice(1), ...words]),
    startIn: async (container, ...words) => begin([...(await enterContainer(container)), ...words]),
    inside: async (container, ...words) =>
      command("nsenter", [...(await enterContainer(container)), ...words]),
    async clear() {
      const ids = (await engine.ok(["ps", "-aq"])).split("\n").filter(Boolean);
      if (ids.length > 0) await engine.ok(["rm", "-f", ...ids]);
    },
    [Symbol.asyncDispose]: async () => {
      try {
        await engine[Symbol.asyncDispose]();
      } finally {
        await end();
      }
    },
  };
}

function ask(socketPath: string, method: string, path: string, body?: object): Promise<unknown> {
  const text = body === undefined ? "" : JSON.stringify(body);
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(text) };
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path, headers }, async (answer) => {
      let got = "";
      for await (const part of answer) got += part;
      if ((answer.statusCode ?? 500) >= 400) reject(new Error(`${method} ${path}: ${got}`));
      else resolve(got === "" ? undefined : JSON.parse(got));
    });
    sent.on("error", reject);
    sent.end(text);
  });
}

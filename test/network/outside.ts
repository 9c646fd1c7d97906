import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import type { TestEngine } from "../support/engine.ts";

/** Another host, beside the engine's, on a wire between them: a network namespace of its own. */
export interface OtherHost extends AsyncDisposable {
  /** Runs a program there, returns what it writes; throws unless it exits 0. */
  readonly run: (...words: readonly string[]) => string;
  /** Starts a server there that answers each connection with the address it came from. */
  readonly answerWithAddress: (port: number) => Promise<void>;
}

/** The engine's host on the wire. */
export const HERE = { ipv4: "203.0.113.1", ipv6: "2001:db8::1" } as const;
/** The other one. It knows no way to networks of containers. */
export const THERE = { ipv4: "203.0.113.2", ipv6: "2001:db8::2" } as const;

/** Says on stdout that it listens, and tells each client its address. */
const SERVER = `
require("node:net").createServer((client) => client.end(client.remoteAddress.replace(/^::ffff:/, "") + "\\n"))
  .listen(+process.argv[1], "::", () => console.log("ready"));
`;

/** Makes the other host, and the wire. */
export async function otherHost(engine: TestEngine): Promise<OtherHost> {
  const children: ChildProcess[] = [];
  const begin = async (words: readonly string[]): Promise<ChildProcess> => {
    const child = spawn(words[0]!, words.slice(1), { stdio: ["ignore", "pipe", "inherit"] });
    children.push(child);
    await once(child.stdout!, "data");
    return child;
  };
  const holder = await begin(["unshare", "-n", "sh", "-c", "echo; exec sleep 1000000"]);
  const enter = ["nsenter", "-n", "-t", `${holder.pid}`];
  const run = (...words: readonly string[]): string =>
    execFileSync(enter[0]!, [...enter.slice(1), ...words], { encoding: "utf8" });
  const addresses = (link: string, host: typeof HERE | typeof THERE): string =>
    `ip addr add ${host.ipv4}/24 dev ${link}; ip addr add ${host.ipv6}/64 dev ${link} nodad; ip link set ${link} up`;
  engine.inside(
    "ip",
    "link",
    "add",
    "wire",
    "type",
    "veth",
    "peer",
    "name",
    "wire",
    "netns",
    `${holder.pid}`,
  );
  engine.inside("sh", "-euc", addresses("wire", HERE));
  run("sh", "-euc", `ip link set lo up; ${addresses("wire", THERE)}`);
  return {
    run,
    async answerWithAddress(port) {
      await begin([...enter, process.execPath, "-e", SERVER, `${port}`]);
    },
    [Symbol.asyncDispose]: async () => {
      for (const child of children.reverse()) {
        child.kill("SIGKILL");
        await once(child, "exit");
      }
    },
  };
}

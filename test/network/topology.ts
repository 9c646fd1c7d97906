import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readlinkSync } from "node:fs";
import type { Bridge, Endpoint } from "../../src/network/endpoint.ts";
import { bridgePlan } from "../../src/network/wires/bridge.ts";
import { connectPlan } from "../../src/network/wires/live.ts";
import { runPlan } from "../../src/plan/run.ts";
import { sh } from "./look.ts";

/** A namespace that stands for a container or another host, with servers that say who they talk to. */
export interface Place {
  readonly pid: number;
  /** Listen on TCP and UDP ports of both families; each connection is answered with its client's address. */
  serve(...ports: readonly number[]): Promise<void>;
  /** Who the server says that we are; `"nothing"` where there is no answer in time. `from` is the port for UDP. */
  ask(address: string, port: number, protocol?: "tcp" | "udp", from?: number): string;
  run(script: string): string;
  end(): void;
}

const SERVER = `
const net = require("node:net"), dgram = require("node:dgram");
const ports = process.argv.slice(1).map(Number);
const plain = (address) => address.replace(/^::ffff:/, "");
for (const port of ports) {
  net.createServer((socket) => { socket.on("error", () => {}); socket.end(plain(socket.remoteAddress)); }).listen(port, "::");
  const udp = dgram.createSocket("udp6");
  udp.on("message", (_, from) => udp.send(plain(from.address), from.port, from.address));
  udp.bind(port, "::");
}
setTimeout(() => console.log("ready"), 50);
`;

const CLIENT = `
const [address, port, protocol, from] = process.argv.slice(1);
const say = (text) => { console.log(text); process.exit(0); };
setTimeout(() => say("nothing"), 400);
if (protocol === "udp") {
  const socket = require("node:dgram").createSocket(address.includes(":") ? "udp6" : "udp4");
  socket.on("message", (text) => say(String(text)));
  socket.on("error", (error) => say(error.code));
  socket.bind(Number(from), () => socket.send("who am I", Number(port), address));
} else {
  const socket = require("node:net").connect(Number(port), address);
  let text = "";
  socket.on("data", (chunk) => { text += chunk; });
  socket.on("end", () => say(text));
  socket.on("error", (error) => say(error.code));
}
`;

const enter = (pid: number) => [`--net=/proc/${pid}/ns/net`];

/** The namespace of process `pid`; `end` ends what `place` started there. */
function placeOf(pid: number, holder: ChildProcess | undefined): Place {
  const children: ChildProcess[] = holder === undefined ? [] : [holder];
  return {
    pid,
    async serve(...ports) {
      const child = spawn(
        "nsenter",
        [...enter(pid), process.execPath, "-e", SERVER, "--", ...ports.map(String)],
        { stdio: ["ignore", "pipe", "inherit"] },
      );
      children.push(child);
      await once(child.stdout!, "data");
    },
    ask(address, port, protocol = "tcp", from = 0) {
      const question = [address, String(port), protocol, String(from)];
      const args = [...enter(pid), process.execPath, "-e", CLIENT, "--", ...question];
      return spawnSync("nsenter", args, { encoding: "utf8", timeout: 10_000 }).stdout.trim();
    },
    run: (script) => sh(`nsenter --net=/proc/${pid}/ns/net sh -euc '${script}'`),
    end() {
      for (const child of children) child.kill("SIGKILL");
    },
  };
}

/** The namespace that this process is in. */
export const here = (): Place => placeOf(process.pid, undefined);

/** A new, empty one. */
export async function makePlace(): Promise<Place> {
  const holder = spawn("unshare", ["-n", "sleep", "600"], { stdio: "ignore" });
  const pid = holder.pid ?? 0;
  const own = readlinkSync("/proc/thread-self/ns/net");
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    try {
      if (readlinkSync(`/proc/${pid}/ns/net`) !== own) break;
    } catch {
      // It is not quite there.
    }
  }
  const place = placeOf(pid, holder);
  place.run("ip link set lo up");
  return place;
}

/** Another host, at the far end of a cable. */
export async function makeHost(
  cable: string,
  ours: readonly string[],
  theirs: readonly string[],
): Promise<Place> {
  const host = await makePlace();
  sh(`ip link add ${cable} type veth peer name cable netns ${host.pid}; ip link set ${cable} up`);
  for (const address of ours) sh(`ip address add ${address} dev ${cable} nodad`);
  host.run("ip link set cable up");
  for (const address of theirs) host.run(`ip address add ${address} dev cable nodad`);
  return host;
}

/** A bridge of this namespace. */
export const makeBridge = (bridge: Bridge) => runPlan(bridgePlan(bridge));

let ends = 0;

/** A container of a bridge network, connected while it runs. */
export async function makeContainer(
  network: Bridge,
  addresses: Endpoint["addresses"],
  change: Partial<Endpoint> = {},
): Promise<Place> {
  const place = await makePlace();
  const gateway = (v6: boolean) => network.addresses.find(({ address }) => address.includes(":") === v6);
  const [four, six] = [gateway(false), gateway(true)];
  await runPlan(
    connectPlan(place.pid, {
      network: network.network,
      interface: "eth0",
      link: { driver: "bridge", bridge: network.name, host: `veth${String(ends++).padStart(7, "0")}` },
      addresses,
      ...(four === undefined ? {} : { defaultRoute4: { via: four.address } }),
      ...(six === undefined ? {} : { defaultRoute6: { via: six.address } }),
      ...change,
    }),
  );
  return place;
}

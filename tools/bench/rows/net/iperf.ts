import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { IMAGE } from "../../peers.ts";
import type { Line, Row, Target } from "../../row.ts";
import { rounds } from "../../sample.ts";
import { ADDRESS, type NetHost, netHosts } from "./hosts.ts";

const PORT = 5201;

/** Throughput of one TCP stream, as the machine's iperf3 has it: its programs run in the containers' networks. */
export const iperf: Row = {
  name: "net-iperf",
  measure: async (bench) => {
    if (spawnSync("iperf3", ["--version"]).status !== 0) {
      console.error("iperf3 is not there (Debian: iperf3): its lines are left out");
      return [];
    }
    await using hosts = await netHosts(bench);
    const seconds = bench.quick ? 1 : 5;
    const turns = bench.quick ? 1 : 5;
    const ways: Record<string, (host: NetHost) => [enter: readonly string[], address: string, port: number]> =
      {
        "iperf3, container to container": (host) => [host.into("client"), addressOf(host, "server"), PORT],
        "iperf3, host to a published port": (host) => [host.enter, ADDRESS, PORT],
        "iperf3, 127.0.0.1 to a published port": (host) => [host.enter, "127.0.0.1", PORT],
      };
    for (const host of hosts.all) {
      host.cli("network", "create", "bench");
      const words = ["run", "-d", "--network", "bench"];
      host.cli(...words, "--name", "server", "-p", `${PORT}:${PORT}`, IMAGE, "/bin/sleep", "1000000");
      host.cli(...words, "--name", "client", IMAGE, "/bin/sleep", "1000000");
    }
    const lines: Line[] = [];
    for (const [what, way] of Object.entries(ways)) {
      const values = await rounds(hosts.all, turns, async (host) => {
        await using _ = await serve(host);
        const [enter, address, port] = way(host);
        return gigabits(enter, address, port, seconds);
      });
      lines.push({
        what,
        unit: "Gbit/s",
        values,
        targets: what.includes("127.0.0.1") ? [] : [atLeast(values)],
      });
    }
    for (const host of hosts.all) {
      host.cli("rm", "-f", "server", "client");
      host.cli("network", "rm", "bench");
    }
    return lines;
  },
};

function atLeast(values: ReadonlyMap<string, number>): Target {
  const [cais, docker] = [values.get("cais"), values.get("docker")];
  const value = cais === undefined || docker === undefined ? undefined : cais / docker;
  return { name: "cais/docker", value, limit: 0.95, sense: "at least" };
}

const addressOf = (host: NetHost, container: string): string =>
  host.cli("inspect", "-f", "{{.NetworkSettings.Networks.bench.IPAddress}}", container);

/** An iperf3 server in the container `server`. */
async function serve(host: NetHost): Promise<AsyncDisposable> {
  const words = [...host.into("server"), "iperf3", "-s", "-p", `${PORT}`, "--forceflush"];
  const child: ChildProcess = spawn("nsenter", words, { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout!, "data");
  child.stdout?.resume();
  return {
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}

function gigabits(enter: readonly string[], address: string, port: number, seconds: number): number {
  const words = ["iperf3", "-J", "-c", address, "-p", `${port}`, "-t", `${seconds}`];
  const result = spawnSync("nsenter", [...enter, ...words], { encoding: "utf8" });
  const { end, error } = JSON.parse(result.stdout) as {
    readonly end?: { readonly sum_received?: { readonly bits_per_second: number } };
    readonly error?: string;
  };
  const bits = end?.sum_received?.bits_per_second;
  if (bits === undefined) throw new Error(`iperf3 to ${address}: ${error ?? result.stderr}`);
  return bits / 1e9;
}

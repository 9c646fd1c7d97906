import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { IMAGE } from "../../peers.ts";
import type { Row } from "../../row.ts";
import { ADDRESS, each, type NetHost, netHosts } from "./hosts.ts";

const ASK = join(import.meta.dirname, "ask.ts");

/** The resolver of a user-defined network: a container's name, and a name that is asked for elsewhere. */
export const dns: Row = {
  name: "net-dns",
  measure: async (bench) => {
    await using hosts = await netHosts(bench);
    for (const host of hosts.all) {
      host.cli("network", "create", "bench");
      const words = ["run", "-d", "--network", "bench", "--dns", ADDRESS];
      for (const name of ["web", "asker"]) {
        host.cli(...words, "--name", name, IMAGE, "/bin/sleep", "1000000");
      }
    }
    const [milliseconds, count] = bench.quick ? [500, 200] : [4000, 4000];
    const rate = await each(hosts.all, async (host) =>
      asked(host, [resolverOf(host), "web", "rate", `${milliseconds}`]),
    );
    const added = await each(hosts.all, async (host) => {
      const server = spawn("nsenter", [...host.enter, process.execPath, ASK, "serve", ADDRESS], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      await once(server.stdout, "data");
      const direct = asked(host, [ADDRESS, "example.org", "latency", `${count}`]);
      const forwarded = asked(host, [resolverOf(host), "example.org", "latency", `${count}`]);
      const ended = once(server, "exit");
      server.kill("SIGKILL");
      await ended;
      return forwarded - direct;
    });
    for (const host of hosts.all) {
      host.cli("rm", "-f", "web", "asker");
      host.cli("network", "rm", "bench");
    }
    return [
      { what: "DNS, a container's name, 16 on the way", unit: "per s", values: rate, targets: [] },
      { what: "DNS, added to a forwarded question", unit: "µs", values: added, targets: [] },
    ];
  },
};

/** The first server of the container's own resolv.conf. */
function resolverOf(host: NetHost): string {
  const found = /^nameserver (\S+)/m.exec(host.cli("exec", "asker", "cat", "/etc/resolv.conf"))?.[1];
  if (found === undefined) throw new Error(`${host.name}: no server in resolv.conf`);
  return found;
}

function asked(host: NetHost, words: readonly string[]): number {
  const result = spawnSync("nsenter", [...host.into("asker"), process.execPath, ASK, ...words], {
    encoding: "utf8",
    timeout: 60_000,
  });
  if (result.status !== 0) throw new Error(`${host.name}: ${result.stderr || "no answer"}`);
  return Number(result.stdout);
}

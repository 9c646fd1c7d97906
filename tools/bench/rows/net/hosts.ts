import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEngine, type TestEngine } from "../../../../test/support/engine.ts";
import { busyboxTar } from "../../../../test/support/fixtures.ts";
import { type Docker, docker } from "../../api.ts";
import { IMAGE, memoryDirectory } from "../../peers.ts";
import type { Bench } from "../../row.ts";

/** An engine on a host of its own, which is a network namespace: nobody's rules are in anybody's way. */
export interface NetHost {
  readonly name: "cais" | "docker";
  /** The command line, and what it needs to find the engine. */
  readonly program: string;
  readonly env: NodeJS.ProcessEnv;
  readonly api: Docker;
  /** Arguments of nsenter that lead to the host. */
  readonly enter: readonly string[];
  /** Runs the command line; throws unless it ends well. */
  cli(...words: readonly string[]): string;
  /** Arguments of nsenter that lead into the network of a container. */
  into(container: string): readonly string[];
}

/** The hosts of cais and docker, as far as they are there, and an empty one for podman. */
export interface NetHosts extends AsyncDisposable {
  readonly all: readonly NetHost[];
  readonly cais: NetHost | undefined;
  /** The engine of `cais`, to be killed and started again. */
  readonly engine: TestEngine | undefined;
  readonly empty: readonly string[];
}

/** The host's own address on each. */
export const ADDRESS = "10.99.0.1";

/** Starts them; cais has had some lives on its bridge when this returns. */
export async function netHosts({ cais, peers }: Bench): Promise<NetHosts> {
  const children: ChildProcess[] = [];
  const home = mkdtempSync(join(tmpdir(), "cais-bench-"));
  const namespace = async (): Promise<readonly string[]> => {
    const child = spawn("unshare", ["-n", "sh", "-c", "echo; exec sleep 1000000"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    children.push(child);
    await once(child.stdout, "data");
    return addressed(child.pid ?? 0);
  };
  const hosts: NetHost[] = [];
  let engine: TestEngine | undefined;
  const end = async (): Promise<void> => {
    await engine?.[Symbol.asyncDispose]();
    for (const child of children) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    rmSync(home, { recursive: true, force: true });
  };
  try {
    if (cais) {
      const enter = await namespace();
      const program = join(home, "cais");
      writeFileSync(program, `#!/bin/sh\nexec nsenter ${enter.join(" ")} '${cais.program}' "$@"\n`);
      chmodSync(program, 0o755);
      engine = await startEngine([], program, memoryDirectory());
      await engine.ok(["import", busyboxTar(), IMAGE]);
      const api = docker(engine.socket);
      hosts.push(host("cais", cais.program, engine.env, api, enter));
      for (let each = 0; each < 100; each++) await life(api, "bridge");
    }
    if (peers.docker) {
      const enter = addressed(peers.docker.pid);
      hosts.push(host("docker", "docker", peers.docker.env, docker(peers.docker.socket), enter));
    }
    return {
      all: hosts,
      cais: hosts.find(({ name }) => name === "cais"),
      engine,
      empty: await namespace(),
      [Symbol.asyncDispose]: end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

/** A host has its loopback, an address of its own and a way out, as any has. */
function addressed(pid: number): readonly string[] {
  const enter = ["-n", "-t", `${pid}`];
  const script = `ip link set lo up; ip link show bench0 >/dev/null 2>&1 || {
    ip link add bench0 type veth peer name bench1; ip addr add ${ADDRESS}/24 dev bench0
    ip link set bench0 up; ip link set bench1 up
    ip route add default via 10.99.0.254; }`;
  const result = spawnSync("nsenter", [...enter, "sh", "-euc", script], { encoding: "utf8" });
  if (result.status !== 0) throw new Error(`Cannot make a host: ${result.stderr}`);
  return enter;
}

function host(
  name: NetHost["name"],
  program: string,
  env: NodeJS.ProcessEnv,
  api: Docker,
  enter: readonly string[],
): NetHost {
  const cli = (...words: readonly string[]): string => {
    const result = spawnSync(program, words, { env, encoding: "utf8" });
    if (result.status !== 0) throw new Error(`${name} ${words.join(" ")}: ${result.stderr}`);
    return result.stdout.trim();
  };
  return {
    name,
    program,
    env,
    api,
    enter,
    cli,
    into: (container) => ["-n", "-t", cli("inspect", "-f", "{{.State.Pid}}", container)],
  };
}

/** Create, start, wait, remove on a network. */
export async function life(api: Docker, network: string): Promise<void> {
  const id = await api.create(IMAGE, ["/bin/true"], { NetworkMode: network });
  await api.start(id);
  await api.wait(id);
  await api.remove(id);
}

/** A value for each host, by name. */
export async function each(
  hosts: readonly NetHost[],
  measure: (host: NetHost) => Promise<number>,
): Promise<Map<string, number>> {
  const values = new Map<string, number>();
  for (const one of hosts) values.set(one.name, await measure(one));
  return values;
}

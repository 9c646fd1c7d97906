import { readdirSync } from "node:fs";
import { type Docker, docker } from "../../api.ts";
import { parentOf, resident } from "../../memory.ts";
import type { Bench } from "../../row.ts";

/** An engine behind a socket, cais or Docker. */
export interface Engine {
  readonly name: "cais" | "docker";
  readonly socket: string;
  readonly api: Docker;
  /** Resident KiB of all its processes. */
  readonly memory: () => number;
}

/** cais and Docker, each if it is there. */
export function enginesOf({ cais, peers }: Bench): Engine[] {
  const engines: Engine[] = [];
  const socket = cais?.env.DOCKER_HOST?.replace("unix://", "");
  if (cais && socket !== undefined)
    engines.push({ name: "cais", socket, api: docker(socket), memory: () => resident(cais.pid()) });
  if (peers.docker) {
    const { pid, socket } = peers.docker;
    const processes = [pid, ...childrenOf(pid)];
    const memory = (): number => processes.reduce((sum, each) => sum + resident(each), 0);
    engines.push({ name: "docker", socket, api: docker(socket), memory });
  }
  return engines;
}

/** dockerd has one child, its containerd; the shims are the containers'. */
function childrenOf(pid: number): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((each) => {
      try {
        return each > 0 && parentOf(each) === pid;
      } catch {
        return false;
      }
    });
}

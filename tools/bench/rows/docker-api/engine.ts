import { type Docker, docker } from "../../api.ts";
import { allocated, resident, withChildren } from "../../memory.ts";
import { spent } from "../../processor.ts";
import type { Bench } from "../../row.ts";

/** An engine behind a socket, cais or Docker. */
export interface Engine {
  readonly name: "cais" | "docker";
  readonly socket: string;
  readonly api: Docker;
  /** Resident KiB of all its processes. */
  readonly memory: () => number;
  /** KiB of it that they have allocated. */
  readonly allocated: () => number;
  /** Milliseconds of processor time that they have spent. */
  readonly spent: () => number;
}

/** cais and Docker, each if it is there. */
export function enginesOf({ cais, peers }: Bench): Engine[] {
  const engine = (name: Engine["name"], socket: string, pids: () => readonly number[]): Engine => {
    const sum = (of: (pid: number) => number) => () => pids().reduce((all, pid) => all + of(pid), 0);
    return {
      name,
      socket,
      api: docker(socket),
      memory: sum(resident),
      allocated: sum(allocated),
      spent: sum(spent),
    };
  };
  const engines: Engine[] = [];
  const own = cais?.env.DOCKER_HOST?.replace("unix://", "");
  if (cais && own !== undefined) engines.push(engine("cais", own, () => [cais.pid()]));
  if (peers.docker) {
    const { pid, socket } = peers.docker;
    // The shims are the containers'.
    const pids = withChildren(pid, "containerd");
    engines.push(engine("docker", socket, () => pids));
  }
  return engines;
}

import { spawnSync } from "node:child_process";
import { type Command, IMAGE, PODMAN_RUN, timeCommand } from "../peers.ts";
import { faster, type Row } from "../row.ts";
import { medians } from "../sample.ts";

const NAME = "sleeper";
const RUN = ["-d", "--network", "none", "--name", NAME, IMAGE, "/bin/sleep", "1000000"];

/** One command in a container that runs already. */
export const exec: Row = {
  name: "exec",
  measure: async ({ cais, peers, runs }) => {
    const engines: Record<
      string,
      readonly [string, readonly string[], NodeJS.ProcessEnv | undefined] | undefined
    > = {
      cais: cais && [cais.program, [], cais.env],
      docker: peers.docker && ["docker", [], peers.docker.env],
      podman: peers.podman && ["podman", peers.podman, undefined],
    };
    const runtimes: Record<string, readonly string[] | undefined> = { runc: peers.runc, crun: peers.crun };
    const contenders: { name: string; command: Command; remove: Command }[] = [];

    for (const [name, engine] of Object.entries(engines)) {
      if (!engine) continue;
      const [program, global, env] = engine;
      const options = name === "podman" ? PODMAN_RUN : [];
      timeCommand([program, [...global, "run", ...options, ...RUN], env]);
      contenders.push({
        name,
        command: [program, [...global, "exec", NAME, "/bin/true"], env],
        remove: [program, [...global, "rm", "-f", NAME], env],
      });
    }
    for (const [name, global] of Object.entries(runtimes)) {
      if (!global) continue;
      timeCommand([name, [...global, "run", "-d", "-b", peers.sleeper, NAME]]);
      contenders.push({
        name,
        command: [name, [...global, "exec", NAME, "/bin/true"]],
        remove: [name, [...global, "delete", "-f", NAME]],
      });
    }
    try {
      const values = await medians(
        contenders.map(({ name, command }) => ({ name, once: () => timeCommand(command) })),
        runs,
      );
      return [{ what: "exec true", unit: "ms", values, targets: [faster(values, "docker", 10)] }];
    } finally {
      for (const { remove } of contenders)
        spawnSync(remove[0], remove[1], remove[2] ? { env: remove[2] } : {});
    }
  },
};

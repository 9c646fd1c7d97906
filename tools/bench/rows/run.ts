import { type Command, IMAGE, PODMAN_RUN, timeCommand } from "../peers.ts";
import { type Bench, faster, type Row } from "../row.ts";
import { type Contender, medians } from "../sample.ts";

/** A whole container from the command line: the built executable, its engine running. */
export const run: Row = {
  name: "run",
  measure: async (bench) => {
    const values = await medians(contenders(bench), bench.runs);
    const targets = [faster(values, "docker", 15), faster(values, "runc", 1)];
    return [{ what: "run --rm --network none true", unit: "ms", values, targets }];
  },
};

function contenders({ cais, peers }: Bench): Contender[] {
  const words = ["run", "--rm", "--network", "none", IMAGE, "/bin/true"];
  const commands: Record<string, ((run: number) => Command) | undefined> = {
    cais: cais && (() => [cais.program, words, cais.env]),
    docker: peers.docker && (() => ["docker", words, peers.docker?.env]),
    podman:
      peers.podman && (() => ["podman", [...(peers.podman ?? []), "run", ...PODMAN_RUN, ...words.slice(1)]]),
    runc:
      peers.runc && ((run) => ["runc", [...(peers.runc ?? []), "run", "-b", peers.bundle, `true-${run}`]]),
    crun:
      peers.crun && ((run) => ["crun", [...(peers.crun ?? []), "run", "-b", peers.bundle, `true-${run}`]]),
  };
  return Object.entries(commands).flatMap(([name, command]) =>
    command ? [{ name, once: (run: number) => timeCommand(command(run)) }] : [],
  );
}

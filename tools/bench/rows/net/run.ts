import { type Command, IMAGE, PODMAN_RUN, timeCommand } from "../../peers.ts";
import { faster, type Row } from "../../row.ts";
import { type Contender, medians } from "../../sample.ts";
import { netHosts } from "./hosts.ts";

const WORDS = ["run", "--rm", IMAGE, "/bin/true"];
const NONE = ["run", "--rm", "--network", "none", IMAGE, "/bin/true"];

/** A whole container from the command line, on the default bridge, and without a network. */
export const run: Row = {
  name: "net-run",
  measure: async (bench) => {
    await using hosts = await netHosts(bench);
    const { podman } = bench.peers;
    const commands: Record<string, Command> = {};
    for (const { name, program, env } of hosts.all) {
      commands[name] = [program, WORDS, env];
      commands[`${name} none`] = [program, NONE, env];
    }
    if (podman) {
      const words = [...hosts.empty, "podman", ...podman, "run", ...PODMAN_RUN, ...WORDS.slice(1)];
      // It wants plugins for its bridge that not every machine has.
      if (works(words)) commands.podman = ["nsenter", words];
    }
    const contenders = Object.entries(commands).map(
      ([name, command]): Contender => ({ name, once: () => timeCommand(command) }),
    );
    const all = await medians(contenders, bench.runs);
    const [bridge, none] = [all.get("cais"), all.get("cais none")];
    const value = bridge === undefined || none === undefined ? undefined : bridge / none;
    const own = new Map(
      [...all].flatMap(([name, took]) => (name.endsWith(" none") ? [[name.slice(0, -5), took]] : [])),
    );
    return [
      {
        what: "run --rm on the default bridge",
        unit: "ms",
        values: all,
        targets: [faster(all, "docker", 15), { name: "bridge/none", value, limit: 1.6, sense: "at most" }],
      },
      { what: "run --rm --network none, same engines", unit: "ms", values: own, targets: [] },
    ];
  },
};

function works(words: readonly string[]): boolean {
  try {
    timeCommand(["nsenter", words]);
    return true;
  } catch {
    return false;
  }
}

import { thaw } from "../../cgroup/freeze.ts";
import { signalAll } from "../../cgroup/kill.ts";
import { readLayout } from "../../cgroup/layout.ts";
import { SIGNALS, signalNumber } from "../../kernel/signals.ts";
import { atLeast } from "../arguments.ts";
import { directoryOf, type RuntimeCommand } from "../context.ts";
import { RuntimeError } from "../failure.ts";
import { needsCgroup } from "../rootless.ts";
import { conditionOf } from "../status.ts";
import { readDocument } from "../store.ts";

/**
 * `kill ID [SIGNAL]`: to the first process, or with `--all` to every process of the container's cgroup. Without a pid
 * namespace the others would outlive the first: SIGKILL is for all of them then.
 */
const kill: RuntimeCommand = {
  flags: { all: { short: "a" } },
  async run(context, given) {
    const [id = "", word = "", ...more] = atLeast(given, 1, "kill");
    if (more.length > 0) throw new RuntimeError('cais-runtime: "kill" requires a maximum of 2 argument(s)');
    const signal = word === "0" ? 0 : signalNumber(word || "SIGTERM");
    if (signal === undefined) throw new RuntimeError(`unknown signal ${JSON.stringify(word)}`);
    const document = readDocument(context.root, id);
    const { pid, status } = conditionOf(directoryOf(context, id), document);
    // Where it has a pid namespace all have ended with the first.
    const allEnded = status === "stopped" && document.noCgroup === true && document.sharesPids !== true;
    if (given.has("all") && allEnded) return 0;
    // Without a cgroup its first process is all that is known.
    if (given.has("all") && signal !== SIGNALS.SIGKILL) needsCgroup(document, "signal every process of");
    if (
      document.noCgroup !== true &&
      (given.has("all") || (signal === SIGNALS.SIGKILL && document.sharesPids === true))
    ) {
      await signalAll(readLayout(), document.cgroup, signal);
      return 0;
    }
    if (status === "stopped" || status === "creating") throw new RuntimeError("container not running");
    try {
      process.kill(pid, signal);
    } catch {
      throw new RuntimeError("container not running");
    }
    // On version 1 nothing reaches what is frozen, and what is killed need not stay so.
    if (signal === SIGNALS.SIGKILL && status === "paused") await thaw(readLayout(), document.cgroup);
    return 0;
  },
};
export default kill;

import { spawnSync } from "node:child_process";
import { writeSync } from "node:fs";
import { readLayout } from "../../cgroup/layout.ts";
import { processes } from "../../cgroup/processes.ts";
import { atLeast } from "../arguments.ts";
import type { RuntimeCommand } from "../context.ts";
import { RuntimeError } from "../failure.ts";
import { needsCgroup } from "../rootless.ts";
import { readDocument } from "../store.ts";

/** `ps ID [PS OPTION…]`: the processes of the container, by the machine's pids. */
const ps: RuntimeCommand = {
  flags: { format: { short: "f", value: true } },
  takesCommand: true,
  run(context, given) {
    const [id = "", ...options] = atLeast(given, 1, "ps");
    const document = readDocument(context.root, id);
    needsCgroup(document, "list the processes of");
    const pids = processes(readLayout(), document.cgroup);
    const form = given.get("format") ?? "table";
    if (form === "json") {
      writeSync(1, `${JSON.stringify(pids.length === 0 ? null : pids)}\n`);
      return 0;
    }
    if (form !== "table") throw new RuntimeError("invalid format option");
    const listed = spawnSync("ps", options.length === 0 ? ["-ef"] : options, { encoding: "utf8" });
    if (listed.status !== 0)
      throw new RuntimeError(`Cannot list processes: ps: ${listed.error?.message ?? listed.stderr.trim()}`);
    const [head = "", ...lines] = listed.stdout.trimEnd().split("\n");
    const column = head.trim().split(/\s+/).indexOf("PID");
    if (column < 0) throw new RuntimeError("couldn't find PID field in ps output");
    const wanted = new Set(pids.map(String));
    const own = lines.filter((line) => wanted.has(line.trim().split(/\s+/)[column] ?? ""));
    writeSync(1, `${[head, ...own].join("\n")}\n`);
    return 0;
  },
};
export default ps;

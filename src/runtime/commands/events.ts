import { writeSync } from "node:fs";
import { type Layout, readLayout } from "../../cgroup/layout.ts";
import { oomKills, watchOom } from "../../cgroup/oom.ts";
import { exactly } from "../arguments.ts";
import { type Context, directoryOf, type RuntimeCommand } from "../context.ts";
import { RuntimeError } from "../failure.ts";
import { needsCgroup } from "../rootless.ts";
import { statsOf } from "../stats.ts";
import { conditionOf } from "../status.ts";
import { type ContainerDocument, readDocument } from "../store.ts";

/** `events ID`: statistics at every interval, and when the kernel kills for want of memory, until it has ended. */
const events: RuntimeCommand = {
  flags: { interval: { value: true }, stats: {} },
  async run(context, given) {
    const [id = ""] = exactly(given, 1, "events");
    const interval = milliseconds(given.get("interval") ?? "5s");
    const document = readDocument(context.root, id);
    needsCgroup(document, "watch");
    if (!runs(context, document)) throw new RuntimeError(`container with id ${id} is not running`);
    const layout = readLayout();
    if (given.has("stats")) tell({ type: "stats", id, data: statsOf(layout, document.cgroup) });
    else await follow(context, document, layout, interval);
    return 0;
  },
};
export default events;

const runs = (context: Context, document: ContainerDocument): boolean => {
  const { status } = conditionOf(directoryOf(context, document.id), document);
  return status !== "stopped" && status !== "creating";
};

function tell(event: object): void {
  writeSync(1, `${JSON.stringify(event)}\n`);
}

/** The interval is the caller's: that is what is asked for here. */
function follow(
  context: Context,
  document: ContainerDocument,
  layout: Layout,
  interval: number,
): Promise<void> {
  const { cgroup, id } = document;
  let kills = oomKills(layout, cgroup);
  const killed = (total: number) => {
    for (; kills < total; kills++) tell({ type: "oom", id });
  };
  const watching = watchOom(layout, cgroup, killed);
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      // v1 tells nobody of a kill; it is seen at the next interval.
      killed(oomKills(layout, cgroup));
      if (runs(context, document)) {
        tell({ type: "stats", id, data: statsOf(layout, cgroup) });
        return;
      }
      clearInterval(timer);
      watching?.[Symbol.dispose]();
      resolve();
    }, interval);
  });
}

/** A duration as Go writes it: "5s", "1m30s", "250ms". */
function milliseconds(text: string): number {
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  const whole = parts.map(([part]) => part).join("");
  const total = parts.reduce((sum, [, value, unit]) => sum + Number(value) * (units[unit ?? ""] ?? 0), 0);
  if (whole !== text || total <= 0)
    throw new RuntimeError("duration interval must be greater than 0, like 5s or 500ms");
  return total;
}

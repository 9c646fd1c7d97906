import { containerStats, listContainers } from "../../client/containers.ts";
import { EngineError, toldBy } from "../../client/error.ts";
import type { Engine } from "../../client/request.ts";
import { jsonLines } from "../../client/stream.ts";
import { events } from "../../client/system.ts";
import type { Event } from "../../wire/event.ts";
import type { Stats } from "../../wire/stats.ts";
import { command } from "../command.ts";
import { usageListing, usageRow } from "../container/usage.ts";
import { bool, text } from "../flags/flag.ts";
import { listText, template } from "../format/rows.ts";
import { err, out, pour } from "../output.ts";

export default command({
  name: "stats",
  aliases: ["container stats"],
  usage: "[OPTIONS] [CONTAINER...]",
  summary: "Show what containers use, live",
  flags: {
    all: bool("Show all containers, not only running ones", { short: "a" }),
    format: text("Format the list: table, table TEMPLATE, json or a TEMPLATE of Go"),
    "no-stream": bool("Show one sample and end"),
    "no-trunc": bool("Do not shorten anything"),
  },
  args: [0, Number.POSITIVE_INFINITY],
  own: (options) => !options["no-stream"],
  async run({ engine }, options, names) {
    const { all, format } = options;
    if (format !== undefined && !/^(json|table)$/.test(format)) template(format.replace(/^table\s+/, ""));
    const asked = names.length > 0 ? names : (await listContainers(engine, { all })).map((it) => it.Id);
    const text = (latest: Latest) =>
      listText(
        usageListing,
        [...latest].map(([name, it]) =>
          usageRow(names.length > 0 ? name : name.slice(0, 12), it, !options["no-trunc"]),
        ),
        { format },
      );
    if (options["no-stream"]) return once(engine, asked, text);
    await live(engine, asked, names.length === 0, all, text);
    return 0;
  },
});

/** The newest sample of each container, in the order of their rows. */
type Latest = Map<string, Stats | undefined>;

async function once(
  engine: Engine,
  asked: readonly string[],
  text: (latest: Latest) => string,
): Promise<number> {
  const latest: Latest = new Map();
  let code = 0;
  const answers = await Promise.allSettled(
    asked.map(async (name) => (await (await containerStats(engine, name, false)).json()) as Stats),
  );
  for (const [i, answer] of answers.entries()) {
    if (answer.status === "fulfilled") latest.set(asked[i] ?? "", answer.value);
    else if (answer.reason instanceof EngineError) {
      err(`${toldBy(answer.reason)}\n`);
      code = 1;
    } else throw answer.reason;
  }
  if (latest.size > 0 || asked.length === 0) out(text(latest));
  return code;
}

/** Draws the table anew with each sample of the first container; new containers come in with their start. */
async function live(
  engine: Engine,
  asked: readonly string[],
  discover: boolean,
  all: boolean,
  text: (latest: Latest) => string,
): Promise<void> {
  const latest: Latest = new Map();
  let drawing = Promise.resolve();
  const draw = () => {
    drawing = drawing.then(() =>
      pour(1, Buffer.from(`\x1b[H${text(latest).replaceAll("\n", "\x1b[K\n")}\x1b[J`)),
    );
    return drawing;
  };
  const follow = async (name: string) => {
    if (latest.has(name)) return;
    latest.set(name, undefined);
    const response = await containerStats(engine, name, true);
    for await (const sample of jsonLines<Stats>(response.next)) {
      latest.set(name, sample);
      if (latest.keys().next().value === name) await draw();
    }
    latest.delete(name);
    await draw();
  };
  await pour(1, Buffer.from("\x1b[2J"));
  await draw();
  const following = asked.map(follow);
  if (!discover) return void (await Promise.all(following));
  const started = await events(engine, {
    filters: { type: ["container"], event: [all ? "create" : "start"] },
  });
  for await (const event of jsonLines<Event>(started.next)) void follow(event.Actor.ID).catch(() => {});
}

import { bodySource, jsonLines } from "../../client/stream.ts";
import { events } from "../../client/system.ts";
import type { Event } from "../../wire/event.ts";
import { command } from "../command.ts";
import { filterFlag, toFilters } from "../filters.ts";
import { text } from "../flags/flag.ts";
import { toJson } from "../format/print.ts";
import { execute, template } from "../format/rows.ts";
import { typed } from "../format/value.ts";
import { moment } from "../moment.ts";
import { pour } from "../output.ts";

export default command({
  name: "events",
  aliases: ["system events"],
  usage: "[OPTIONS]",
  summary: "Show what happens in the engine, as it happens",
  flags: {
    filter: filterFlag(),
    format: text("Format: json or a TEMPLATE of Go"),
    since: text("Begin with what happened after this time"),
    until: text("End at this time"),
  },
  args: [0, 0],
  async run({ engine }, { filter, format, since, until }) {
    const nodes = format === undefined || format === "json" ? undefined : template(format);
    const response = await events(engine, {
      filters: toFilters(filter),
      since: since === undefined ? undefined : moment(since),
      until: until === undefined ? undefined : moment(until),
    });
    for await (const event of jsonLines<Event>(bodySource(response))) {
      const value = typed(event);
      const line = nodes ? execute(nodes, value) : format === "json" ? toJson(value) : eventText(event);
      await pour(1, Buffer.from(`${line}\n`));
    }
    return 0;
  },
});

function eventText(event: Event): string {
  const attributes = Object.keys(event.Actor.Attributes ?? {})
    .sort()
    .map((name) => `${name}=${event.Actor.Attributes[name]}`);
  const about = attributes.length ? ` (${attributes.join(", ")})` : "";
  return `${localTime(event)} ${event.Type} ${event.Action} ${event.Actor.ID}${about}`;
}

/** RFC 3339 with nanoseconds; their last digits are not exact, because a double holds no more of `timeNano`. */
function localTime(event: Event): string {
  const at = new Date(event.time * 1000);
  const pad = (n: number) => String(n).padStart(2, "0");
  const offset = -at.getTimezoneOffset();
  const zone =
    offset === 0
      ? "Z"
      : `${offset < 0 ? "-" : "+"}${pad(Math.floor(Math.abs(offset) / 60))}:${pad(Math.abs(offset) % 60)}`;
  const nanoseconds = String(BigInt(event.timeNano) % 1_000_000_000n).padStart(9, "0");
  const day = `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
  return `${day}T${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}.${nanoseconds}${zone}`;
}

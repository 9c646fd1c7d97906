import { textLines } from "../../client/stream.ts";
import { events } from "../../client/system.ts";
import type { Event } from "../../wire/event.ts";
import { command } from "../command.ts";
import { withMethods } from "../container/row.ts";
import { filterFlag, toFilters } from "../filters.ts";
import { text } from "../flags/flag.ts";
import { execute, template } from "../format/rows.ts";
import { typed, type Value } from "../format/value.ts";
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
    const json = format === "json" || format === "{{json .}}";
    const nodes = format === undefined || json ? undefined : template(format, WRONG, 64);
    // A template that fails does so at once, not with the first event.
    if (nodes) execute(nodes, value(BLANK), WRONG, 64);
    const response = await events(engine, {
      filters: toFilters(filter),
      since: since === undefined ? undefined : moment(since),
      until: until === undefined ? undefined : moment(until),
    });
    for await (const text of textLines(response.next)) {
      const event = JSON.parse(text) as Event;
      const line = nodes
        ? execute(nodes, value(event), WRONG)
        : json
          ? text
          : eventText(event, nanoseconds(text));
      await pour(1, Buffer.from(`${line}\n`));
    }
    return 0;
  },
});

const WRONG = "Error parsing format: ";

/** As every event has them. */
const BLANK: Event = {
  Type: "container",
  Action: "",
  Actor: { ID: "", Attributes: {} },
  scope: "local",
  time: 0,
  timeNano: 0,
};

/** What a template works on: Go's names of the fields are not those of its JSON. */
function value(event: Event): Value {
  const it = typed(event);
  withMethods(it as Record<string, Value>, {
    Status: () => event.status ?? "",
    ID: () => event.id ?? "",
    From: () => event.from ?? "",
    Scope: () => event.scope,
    Time: () => event.time,
    TimeNano: () => event.timeNano,
  });
  return it;
}

/** From the text: a double does not hold all digits of `timeNano`. */
function nanoseconds(text: string): string {
  return (/"timeNano":(\d+)/.exec(text)?.[1] ?? "").slice(-9).padStart(9, "0");
}

function eventText(event: Event, fraction: string): string {
  const attributes = Object.keys(event.Actor.Attributes ?? {})
    .sort()
    .map((name) => `${name}=${event.Actor.Attributes[name]}`);
  const about = attributes.length ? ` (${attributes.join(", ")})` : "";
  return `${localTime(event, fraction)} ${event.Type} ${event.Action} ${event.Actor.ID}${about}`;
}

/** RFC 3339 with nanoseconds, in the zone of this process. */
function localTime(event: Event, fraction: string): string {
  const at = new Date(event.time * 1000);
  const pad = (n: number) => String(n).padStart(2, "0");
  const offset = -at.getTimezoneOffset();
  const zone =
    offset === 0
      ? "Z"
      : `${offset < 0 ? "-" : "+"}${pad(Math.floor(Math.abs(offset) / 60))}:${pad(Math.abs(offset) % 60)}`;
  const day = `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
  return `${day}T${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}.${fraction}${zone}`;
}

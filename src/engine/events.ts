import { nowNanoseconds } from "../container/time.ts";
import { labelsMatch } from "../image/list.ts";
import { familiarName, referenceOf } from "../oci/reference.ts";
import type { Event } from "../wire/event.ts";

export type EventType = "container" | "image" | "volume" | "network" | "daemon" | "builder";
export type Attributes = Readonly<Record<string, string>>;

/** One event; `time` in nanoseconds since 1970. */
export interface EngineEvent {
  readonly type: EventType;
  readonly action: string;
  readonly id: string;
  readonly attributes: Attributes;
  readonly time: bigint;
}

/** Name → accepted values: an event passes when each named thing has one of its values. */
export type EventFilters = Readonly<Record<string, readonly string[]>>;

export interface Events {
  emit(type: EventType, action: string, id: string, attributes: Attributes): void;
  /** Remembered events from `since` on (nanoseconds); the newest 256 are remembered, as in Docker. */
  past(since: bigint): EngineEvent[];
  /** @returns ends it */
  subscribe(listener: (event: EngineEvent) => void): () => void;
  readonly listeners: number;
}

const REMEMBERED = 256;

/** Events of one engine, none so far. */
export function createEvents(): Events {
  const ring: EngineEvent[] = [];
  const listeners = new Set<(event: EngineEvent) => void>();
  return {
    emit(type, action, id, attributes) {
      const event: EngineEvent = { type, action, id, attributes, time: nowNanoseconds() };
      ring.push(event);
      if (ring.length > REMEMBERED * 2) ring.splice(0, ring.length - REMEMBERED);
      for (const listener of listeners) listener(event);
    },
    past: (since) => ring.slice(-REMEMBERED).filter((event) => event.time >= since),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    get listeners() {
      return listeners.size;
    },
  };
}

/** The event as one line of JSON. */
export function eventText(event: EngineEvent): string {
  const { type, action, id, attributes, time } = event;
  const old =
    type === "container" || type === "image"
      ? {
          status: action,
          ...(id && { id }),
          ...(type === "container" && attributes.image && { from: attributes.image }),
        }
      : {};
  const value: Omit<Event, "timeNano"> = {
    ...old,
    Type: type,
    Action: action,
    Actor: { ID: id, Attributes: attributes },
    scope: "local",
    time: Number(time / 1_000_000_000n),
  };
  // A JavaScript number cannot hold the nanoseconds, JSON can.
  return `${JSON.stringify(value).slice(0, -1)},"timeNano":${time}}\n`;
}

/** Whether an event passes all filters; those that Docker does not know do not matter. */
export function eventMatches(event: EngineEvent, filters: EventFilters): boolean {
  for (const name in filters) {
    const values = filters[name]!;
    if (values.length > 0 && !matches(event, name, values)) return false;
  }
  return true;
}

/** Without one of these, as commands write them, actions are compared as they are. */
const WITH_MORE = ["health_status", "exec_create", "exec_start"];

/** One of the values is enough, but for labels; whose event it is does not matter where a name is looked for. */
function matches(event: EngineEvent, name: string, values: readonly string[]): boolean {
  const { type, action, id, attributes } = event;
  const begins = (text: string): boolean => values.some((value) => text.startsWith(value));
  switch (name) {
    case "type":
      return values.includes(type);
    case "event":
      // `exec_start: sh` is an `exec_start`.
      return values.some((value) => WITH_MORE.includes(value)) ? begins(action) : values.includes(action);
    case "scope":
      return values.includes("local");
    case "label":
      return labelsMatch(attributes, { label: values });
    case "image": {
      const image = (type === "image" ? attributes.name : attributes.image) ?? "";
      return [id, image, repositoryOf(id), repositoryOf(image)].some((text) => values.includes(text));
    }
    case "container":
    case "plugin":
    case "volume":
    case "network":
    case "daemon":
    case "service":
    case "node":
    case "secret":
    case "config":
      return begins(id) || begins(attributes.name ?? "");
    default:
      return true;
  }
}

/** Without its tag. */
function repositoryOf(image: string): string {
  const reference = referenceOf(image);
  return reference === undefined ? image : familiarName(reference);
}

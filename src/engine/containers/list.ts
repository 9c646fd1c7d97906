import { isUp, STATES } from "../../container/lifecycle.ts";
import type { ContainerRecord } from "../../container/record.ts";
import type { ContainerSummary, PortSummary } from "../../wire/summary.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { invalid } from "../refuse.ts";
import { find } from "./find.ts";
import { sizesOf } from "./inspect.ts";
import { endpoints } from "./networks.ts";
import { statusText } from "./status.ts";

export type Filters = Readonly<Record<string, readonly string[]>>;

export interface ListOptions {
  /** Also those that do not run. */
  readonly all?: boolean;
  /** The newest so many, running or not. */
  readonly limit?: number;
  readonly size?: boolean;
  readonly filters?: Filters;
}

export const LIST_FILTERS = [
  "ancestor",
  "before",
  "expose",
  "exited",
  "health",
  "id",
  "isolation",
  "is-task",
  "label",
  "name",
  "network",
  "publish",
  "since",
  "status",
  "volume",
] as const;

/** Containers, newest first. */
export async function list(context: Context, options: ListOptions): Promise<ContainerSummary[]> {
  const filters = options.filters ?? {};
  const tests = Object.entries(filters)
    .filter(([, values]) => values.length > 0)
    .map(([name, values]) => test(context, name, values));
  // `status` and the like say themselves whether those that are down are meant.
  const all =
    options.all ||
    (options.limit ?? 0) > 0 ||
    ["status", "exited", "before", "since"].some((name) => (filters[name]?.length ?? 0) > 0);
  let found = [...context.containers.values()].filter(
    ({ record }) => (all || isUp(record.state.status)) && tests.every((passes) => passes(record)),
  );
  found.sort((a, b) => (a.record.created < b.record.created ? 1 : -1));
  if (options.limit && options.limit > 0) found = found.slice(0, options.limit);
  return Promise.all(found.map((container) => summary(context, container, options.size ?? false)));
}

const HEALTH: readonly string[] = ["none", "starting", "healthy", "unhealthy"];

type Test = (record: ContainerRecord) => boolean;

/** Values of one filter are alternatives, except labels, which must all be there. */
function test(context: Context, name: string, values: readonly string[]): Test {
  const any =
    (matches: (record: ContainerRecord, value: string) => boolean): Test =>
    (record) =>
      values.some((value) => matches(record, value));
  switch (name) {
    case "id":
      return any((record, value) => pattern(value).test(record.id));
    case "name":
      return any(
        (record, value) => pattern(value).test(`/${record.name}`) || pattern(value).test(record.name),
      );
    case "label":
      return (record) => values.every((value) => hasLabel(record, value));
    case "status":
      for (const value of values) {
        if (!(STATES as readonly string[]).includes(value)) {
          throw invalid(`invalid value for status filter: '${value}': use one of ${STATES.join(", ")}`);
        }
      }
      return any((record, value) => record.state.status === value);
    case "exited": {
      const codes = values.map((value) => {
        if (!/^-?\d{1,9}$/.test(value)) throw invalid(`invalid filter 'exited=${value}'`);
        return Number(value);
      });
      return ({ state }) => state.status === "exited" && codes.includes(state.exitCode);
    }
    case "ancestor": {
      const ids = new Set(values.map((value) => context.images.find(value)?.id));
      return ({ image }) => ids.has(image);
    }
    case "before": {
      const { created } = find(context, values[0]!).record;
      return (record) => record.created < created;
    }
    case "since": {
      const { created } = find(context, values[0]!).record;
      return (record) => record.created > created;
    }
    case "volume":
      return any(({ mounts }, value) => mounts.some((m) => m.Name === value || m.Destination === value));
    case "network":
      return any((record, value) =>
        Object.entries(endpoints(record)).some(([key, end]) => key === value || end.NetworkID === value),
      );
    case "health":
      for (const value of values) {
        if (!HEALTH.includes(value)) {
          throw invalid(
            `invalid filter 'health=${value}': invalid value for health (${value}): must be one of ${HEALTH.join(", ")}`,
          );
        }
      }
      return any(({ state }, value) => (state.health?.Status ?? "none") === value);
    case "is-task":
      return any((_, value) => ["false", "0"].includes(value.toLowerCase()));
    case "isolation":
      return any((_, value) => value === "default");
    case "publish":
      return any(({ host }, value) => value.split("/")[0]! in (host.PortBindings ?? {}));
    case "expose":
      return any(({ config }, value) => Object.keys(config.ExposedPorts ?? {}).some((p) => portIs(p, value)));
    default:
      throw invalid(`invalid filter '${name}'`);
  }
}

const portIs = (port: string, wanted: string): boolean =>
  port === (wanted.includes("/") ? wanted : `${wanted}/tcp`);

function hasLabel({ config }: ContainerRecord, filter: string): boolean {
  const [key = "", wanted] = filter.split(/=(.*)/s);
  const value = config.Labels?.[key];
  return value !== undefined && (wanted === undefined || value === wanted);
}

/** Docker's filters on names and ids are regular expressions; what is none is meant literally. */
function pattern(text: string): RegExp {
  try {
    return new RegExp(text.slice(0, 256));
  } catch {
    return new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  }
}

async function summary(context: Context, { record }: Container, size: boolean): Promise<ContainerSummary> {
  const { config, host } = record;
  return {
    Id: record.id,
    Names: [`/${record.name}`],
    Image: imageName(context, record),
    ImageID: record.image,
    Command: [record.path, ...record.args].join(" "),
    Created: Math.floor(Date.parse(record.created) / 1000),
    Ports: ports(record),
    ...(size ? await sizesOf(context, record) : {}),
    Labels: config.Labels ?? {},
    State: record.state.status,
    Status: statusText(record),
    HostConfig: { NetworkMode: host.NetworkMode || "bridge" },
    NetworkSettings: { Networks: endpoints(record) },
    Mounts: record.mounts,
  };
}

/** The name it was made from, while that name still means this image; the id otherwise. */
function imageName(context: Context, { config, image }: ContainerRecord): string {
  const name = config.Image ?? "";
  try {
    return context.images.find(name)?.id === image ? name : image;
  } catch {
    return image;
  }
}

function ports({ config, state }: ContainerRecord): PortSummary[] {
  if (!isUp(state.status)) return [];
  return Object.keys(config.ExposedPorts ?? {}).flatMap((port) => {
    const match = /^(\d{1,5})\/(tcp|udp|sctp)$/.exec(port);
    return match ? [{ PrivatePort: Number(match[1]), Type: match[2] as "tcp" }] : [];
  });
}

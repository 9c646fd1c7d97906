import { networkOf } from "../../container/endpoint.ts";
import { isUp, STATES } from "../../container/lifecycle.ts";
import type { ContainerRecord } from "../../container/record.ts";
import { labelsMatch } from "../../image/list.ts";
import { Refusal } from "../../oci/error.ts";
import { type LinearRegexp, linearRegexp } from "../../oci/regexp.ts";
import type { ContainerSummary } from "../../wire/summary.ts";
import type { Context } from "../context.ts";
import { linkNames } from "../networks/linked.ts";
import { endpointSettings, portsOf } from "../networks/settings.ts";
import { invalid, notANumber } from "../refuse.ts";
import { commandText } from "./command.ts";
import { find } from "./find.ts";
import { shownMounts, sizesOf } from "./inspect.ts";
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
  // A filter on the status says itself whether those that are down are meant.
  const all = options.all || (options.limit ?? 0) > 0 || (filters.status?.length ?? 0) > 0;
  let found = [...context.containers.values()].filter(
    ({ record }) => (all || isUp(record.state.status)) && tests.every((passes) => passes(record)),
  );
  found.sort((a, b) => (a.record.created < b.record.created ? 1 : -1));
  if (options.limit && options.limit > 0) found = found.slice(0, options.limit);
  const shared = sharedOf(context);
  return Promise.all(found.map(({ record }) => summary(context, record, shared, options.size ?? false)));
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
    case "id": {
      // The beginning of one id, and of no other.
      const ids = new Set(values.map((value) => onlyId(context, value)));
      return ({ id }) => ids.has(id);
    }
    case "name": {
      const patterns = values.map(pattern);
      const links = linkNames(context);
      return ({ name }) =>
        [`/${name}`, ...(links.get(name) ?? [])].some((one) =>
          patterns.some((wanted) => wanted.test(one) || wanted.test(one.slice(1))),
        );
    }
    case "label":
      return (record) => values.every((value) => hasLabel(record, value));
    case "status":
      for (const value of values) {
        if (!(STATES as readonly string[]).includes(value)) {
          throw invalid(
            `invalid filter 'status=${value}': invalid value for state (${value}): must be one of ${STATES.join(", ")}`,
          );
        }
      }
      return any((record, value) => record.state.status === value);
    case "exited": {
      const codes = values.map((value) => {
        if (!/^-?\d{1,9}$/.test(value)) {
          throw invalid(`invalid filter 'exited=${value}': ${notANumber("Atoi", value).message}`);
        }
        return Number(value);
      });
      return ({ state }) => state.status === "exited" && codes.includes(state.exitCode);
    }
    case "ancestor": {
      const ids = new Set(values.map((value) => context.images.find(value)?.id));
      return ({ image }) => context.images.lineageOf(image).some((id) => ids.has(id));
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
      return any(({ mounts }, value) =>
        mounts.some((m) => (m.Name || m.Source) === value || m.Destination === value),
      );
    case "network":
      return any((record, value) =>
        Object.entries(record.endpoints).some(
          ([key, { networkId }]) => key === value || networkId.startsWith(value),
        ),
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
      if (!values.every((value) => /^(0|f|false|1|t|true)$/i.test(value))) {
        throw invalid(`invalid filter 'is-task=[${values.join(" ")}]'`);
      }
      // No container belongs to a swarm here.
      return () => values.every((value) => /^[0f]/i.test(value));
    case "isolation":
      // Windows has several kinds; elsewhere Docker does not look at it.
      return () => true;
    case "publish": {
      const wanted = values.flatMap((value) => portRange(name, value));
      return (record) =>
        portsOf(record).some(({ PublicPort, Type }) => wanted.includes(`${PublicPort}/${Type}`));
    }
    case "expose": {
      const wanted = values.flatMap((value) => portRange(name, value));
      return (record) =>
        portsOf(record).some(({ PrivatePort, Type }) => wanted.includes(`${PrivatePort}/${Type}`));
    }
    default:
      throw invalid(`invalid filter '${name}'`);
  }
}

function onlyId({ containers }: Context, beginning: string): string | undefined {
  const found = [...containers.keys()].filter((id) => id.startsWith(beginning));
  return beginning !== "" && found.length === 1 ? found[0] : undefined;
}

/** `80`, `80-90/udp` as each of its ports: `80/udp`. @throws Refusal (500, as in Docker) */
function portRange(filter: string, text: string): string[] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(\w+))?$/i.exec(text);
  const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
  if (!match || last > 65535 || last < first) {
    throw new Refusal(
      "failed",
      `error while looking up for ${filter} ${text.slice(0, 80)}: ${notANumber("ParseUint", text).message}`,
    );
  }
  return Array.from(
    { length: last - first + 1 },
    (_, at) => `${first + at}/${(match[3] ?? "tcp").toLowerCase()}`,
  );
}

const hasLabel = ({ config }: ContainerRecord, filter: string): boolean =>
  labelsMatch(config.Labels ?? {}, { label: [filter] });

/** Docker's filters on names and ids are regular expressions; what is none is meant literally. */
function pattern(text: string): LinearRegexp {
  try {
    return linearRegexp(text.slice(0, 256));
  } catch {
    return { test: (name) => name.includes(text) };
  }
}

/** What is looked up once for all containers of a list. */
interface Shared {
  /** Further names of a container, by its own. */
  readonly links: ReadonlyMap<string, readonly string[]>;
  /** What the name of an image means now. */
  readonly imageId: (name: string) => string | undefined;
}

function sharedOf(context: Context): Shared {
  const ids = new Map<string, string | undefined>();
  const imageId = (name: string): string | undefined => {
    if (!ids.has(name)) ids.set(name, context.images.find(name)?.id);
    return ids.get(name);
  };
  return { links: linkNames(context), imageId };
}

async function summary(
  context: Context,
  record: ContainerRecord,
  { links, imageId }: Shared,
  size: boolean,
): Promise<ContainerSummary> {
  const { config, host } = record;
  const imageName = config.Image ?? "";
  return {
    Id: record.id,
    Names: [...(links.get(record.name) ?? []), `/${record.name}`].sort(),
    // The name it was made from, while that name still means this image; the id otherwise.
    Image: imageId(imageName) === record.image ? imageName : record.image,
    ImageID: record.image,
    Command: commandText(record.path, record.args),
    Created: Math.floor(Date.parse(record.created) / 1000),
    Ports: portsOf(record),
    ...(size ? await sizesOf(context, record) : {}),
    Labels: config.Labels ?? {},
    State: record.state.status,
    Status: statusText(record),
    HostConfig: {
      NetworkMode: networkOf(host.NetworkMode),
      ...(host.Annotations && Object.keys(host.Annotations).length > 0
        ? { Annotations: host.Annotations }
        : {}),
    },
    // The names are told by an inspection only.
    NetworkSettings: {
      Networks: Object.fromEntries(
        Object.entries(endpointSettings(record)).map(([name, one]) => [name, { ...one, DNSNames: null }]),
      ),
    },
    Mounts: shownMounts(record),
  };
}

import { isBuiltin, type NetworkDocument } from "../../network/document.ts";
import { Refusal } from "../../oci/error.ts";
import { linearRegexp } from "../../oci/regexp.ts";
import type { Network } from "../../wire/network.ts";
import type { Context } from "../context.ts";
import { invalid } from "../refuse.ts";
import { membersOf, networkView } from "./view.ts";

export type Filters = Readonly<Record<string, readonly string[]>>;

export const NETWORK_FILTERS = ["dangling", "driver", "id", "label", "name", "scope", "type"] as const;

/** Networks that pass all filters; their members are left out, as in Docker, unless they are asked for. */
export function listNetworks(context: Context, filters: Filters, members = false): Network[] {
  const tests = Object.entries(filters)
    .filter(([, values]) => values.length > 0)
    .map(([name, values]) => test(context, name, values));
  return context.networks
    .all()
    .filter((network) => tests.every((passes) => passes(network)))
    .map((network) => (members ? networkView(network, membersOf(context, network)) : networkView(network)));
}

type Test = (network: NetworkDocument) => boolean;

function test(context: Context, name: string, values: readonly string[]): Test {
  const any =
    (matches: (network: NetworkDocument, value: string) => boolean): Test =>
    (network) =>
      values.some((value) => matches(network, value));
  switch (name) {
    case "driver":
      return any(({ driver }, value) => driver === value);
    case "name":
      return any((network, value) => matches(network.name, value));
    case "id":
      return any((network, value) => matches(network.id, value));
    case "scope":
      return any(({ scope }, value) => scope === value);
    case "label":
      return (network) => hasLabels(network, values);
    case "type": {
      const strange = values.find((value) => value !== "builtin" && value !== "custom");
      if (strange !== undefined)
        throw new Refusal("failed", `invalid filter: 'type'='${strange.slice(0, 80)}'`);
      return any((network, value) => (value === "builtin") === isBuiltin(network));
    }
    case "dangling": {
      if (values.length > 1) throw invalid(`got more than one value for filter key "dangling"`);
      const wanted = truth(values[0]!);
      return (network) => isDangling(context, network) === wanted;
    }
    default:
      throw invalid(`invalid filter '${name}'`);
  }
}

/** Whether a network has all the labels of a filter, `name` or `name=value`. */
export const hasLabels = ({ labels }: NetworkDocument, wanted: readonly string[]): boolean =>
  wanted.every((one) => {
    const [key = "", value] = one.split(/=(.*)/s);
    return Object.hasOwn(labels, key) && (value === undefined || labels[key] === value);
  });

/** Nobody is on it, and it is not one of those that are always there. */
export const isDangling = (context: Context, network: NetworkDocument): boolean =>
  !isBuiltin(network) && Object.keys(membersOf(context, network)).length === 0;

/** A part of it, or a regular expression (Docker's `filters.Match`). */
function matches(text: string, value: string): boolean {
  if (text.includes(value)) return true;
  try {
    return linearRegexp(value.slice(0, 256)).test(text);
  } catch {
    return false;
  }
}

function truth(value: string): boolean {
  if (value === "true" || value === "1") return true;
  if (value === "false" || value === "0") return false;
  throw invalid('invalid value for filter \'dangling\', must be "true" (or "1"), or "false" (or "0")');
}

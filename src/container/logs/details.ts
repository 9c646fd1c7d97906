import { type LinearRegexp, linearRegexp } from "../../oci/regexp.ts";
import { badTag, type LogSubject, tagOf } from "./subject.ts";
import { type Options, wrong } from "./value.ts";

/** What goes along with each message: labels and variables of the container, and a name for it. */
export interface LogDetails {
  readonly labels: readonly string[];
  readonly labelsRegex: LinearRegexp | null;
  readonly env: readonly string[];
  readonly envRegex: LinearRegexp | null;
  /** A template; undefined where none was given. */
  readonly tag: string | undefined;
}

/** The options that say it. */
export const DETAILS = ["labels", "labels-regex", "env", "env-regex", "tag"] as const;

/** @throws Refusal for a pattern or a template that cannot be used */
export function detailOptions(options: Options): LogDetails {
  const bad = badTag(options.tag ?? "");
  if (bad) throw wrong(bad);
  return {
    labels: words(options.labels),
    labelsRegex: pattern(options["labels-regex"]),
    env: words(options.env),
    envRegex: pattern(options["env-regex"]),
    tag: options.tag || undefined,
  };
}

const words = (text: string | undefined): string[] => (text ? text.split(",") : []);

function pattern(text: string | undefined): LinearRegexp | null {
  if (!text) return null;
  try {
    return linearRegexp(text);
  } catch {
    throw wrong(`error parsing regexp: '${text.slice(0, 80)}' is no regular expression`);
  }
}

/** The labels and variables that go along. @param key how a driver writes a name */
export function attributesOf(
  details: LogDetails,
  { labels, env }: LogSubject,
  key: (name: string) => string = (name) => name,
): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(labels)) {
    if (details.labels.includes(name) || details.labelsRegex?.test(name)) found[key(name)] = value;
  }
  for (const word of env) {
    const at = word.indexOf("=");
    const name = word.slice(0, Math.max(at, 0));
    if (at > 0 && (details.env.includes(name) || details.envRegex?.test(name)))
      found[key(name)] = word.slice(at + 1);
  }
  return found;
}

/** As `attributesOf` for `json-file`, which shows a tag only where one was asked for. */
export function fileAttributes(details: LogDetails, subject: LogSubject): Record<string, string> | null {
  const found = attributesOf(details, subject);
  if (details.tag !== undefined) found.tag = tagOf(details.tag, subject);
  return Object.keys(found).length > 0 ? found : null;
}

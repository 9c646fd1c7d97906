import { shortId } from "../id.ts";

/** Whose log it is: what tags and extra attributes are made from. */
export interface LogSubject {
  readonly id: string;
  readonly name: string;
  /** As it was asked for. */
  readonly image: string;
  /** Digest of the image's configuration. */
  readonly imageId: string;
  /** Path and arguments. */
  readonly command: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `NAME=value`. */
  readonly env: readonly string[];
}

/** Fields that a tag may name (Docker: "Customize log driver output"). */
const FIELDS: Readonly<Record<string, (subject: LogSubject) => string>> = {
  ID: ({ id }) => shortId(id),
  FullID: ({ id }) => id,
  Name: ({ name }) => name,
  ImageID: ({ imageId }) => shortId(imageId.replace(/^sha256:/, "")),
  ImageFullID: ({ imageId }) => imageId,
  ImageName: ({ image }) => image,
  Command: ({ command }) => command,
  DaemonName: () => "cais",
};

/** `{{.Name}}`; `{{lower .Name}}` and `{{upper .Name}}`. */
const PLACE = /\{\{-?\s*(?:(lower|upper|title)\s+)?\.(\w+)\s*-?\}\}/g;

/** Docker's where none is given. */
export const DEFAULT_TAG = "{{.ID}}";

/** @returns what is wrong with a tag's template, null when it can be used */
export function badTag(template: string): string | null {
  for (const [, , field] of template.matchAll(PLACE)) {
    if (field !== undefined && !Object.hasOwn(FIELDS, field))
      return `template: log-tag: can't evaluate field ${field}: use one of ${Object.keys(FIELDS).join(", ")}`;
  }
  return template.replace(PLACE, "").includes("{{")
    ? `template: log-tag: cannot read '${template.slice(0, 80)}': only fields such as {{.Name}} are known`
    : null;
}

/** The tag of one container. */
export function tagOf(template: string, subject: LogSubject): string {
  return template.replace(PLACE, (_, change: string | undefined, field: string) => {
    const value = FIELDS[field]?.(subject) ?? "";
    if (change === "lower") return value.toLowerCase();
    if (change === "upper") return value.toUpperCase();
    return change === "title" ? value.replace(/\b\w/g, (letter) => letter.toUpperCase()) : value;
  });
}

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../tools/check/sources.ts";
import { fetchInto } from "../vm/packages.ts";
import { program } from "./skip.ts";

/** The runtime specification's JSON schemas (draft 4), from Debian's package, and a validator of what they use. */

export type Schema = Readonly<Record<string, unknown>>;

const DIRECTORY = join(ROOT, ".cache/specs");
const SCHEMAS = join(DIRECTORY, "usr/share/gocode/src/github.com/opencontainers/runtime-spec/schema");

/** Why they are not here, or undefined; they are fetched by the first who asks. */
export function schemasMissing(): string | undefined {
  if (existsSync(SCHEMAS)) return undefined;
  try {
    return program("apt-get", "apt") ?? fetched();
  } catch (error) {
    return `no schemas: ${error instanceof Error ? error.message : error}`;
  }
}

function fetched(): undefined {
  fetchInto(DIRECTORY, "amd64", (apt) =>
    apt("apt-get", "-q", "download", "golang-github-opencontainers-specs-dev"),
  );
}

/** A schema with the file that its references start from. */
export interface Located {
  readonly schema: Schema;
  readonly file: string;
}

const files = new Map<string, Schema>();

/** A schema's file, whole. */
export function schemaFile(file: string): Located {
  const read = files.get(file) ?? (JSON.parse(readFileSync(join(SCHEMAS, file), "utf8")) as Schema);
  files.set(file, read);
  return { schema: read, file };
}

/** What a schema is with its reference followed. */
export function resolved({ file, schema }: Located): Located {
  const { $ref } = schema;
  if (typeof $ref !== "string") return { file, schema };
  const [name = "", pointer = ""] = $ref.split("#");
  const target = schemaFile(name === "" ? file : name);
  const parts = pointer.split("/").filter((part) => part !== "");
  return resolved({
    file: target.file,
    schema: parts.reduce((at, part) => at[part] as Schema, target.schema),
  });
}

const typeOf = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "array" : typeof value;

const isType = (value: unknown, type: string): boolean =>
  type === "integer" ? Number.isInteger(value) : typeOf(value) === type;

/** Where a value is not as its schema says: "at: what". */
export function violations(value: unknown, located: Located, at = ""): readonly string[] {
  const { file, schema } = resolved(located);
  const within = (part: unknown): Located => ({ file, schema: part as Schema });
  const list = (name: string) => (schema[name] ?? []) as readonly Schema[];
  const errors: string[] = [];
  const wrong = (what: string) => void errors.push(`${at}: ${what}`);
  const types = [schema.type ?? []].flat() as string[];
  if (types.length > 0 && !types.some((type) => isType(value, type))) wrong(`no ${types.join(" or ")}`);
  if (schema.enum !== undefined && !list("enum").includes(value as Schema)) wrong("none of the words");
  if (
    typeof value === "string" &&
    typeof schema.pattern === "string" &&
    !new RegExp(schema.pattern).test(value)
  )
    wrong(`not like ${schema.pattern}`);
  if (typeof value === "number") {
    if (value < Number(schema.minimum ?? -Infinity)) wrong(`below ${schema.minimum}`);
    if (value > Number(schema.maximum ?? Infinity)) wrong(`above ${schema.maximum}`);
  }
  for (const part of list("allOf")) errors.push(...violations(value, within(part), at));
  if (
    schema.anyOf !== undefined &&
    !list("anyOf").some((part) => violations(value, within(part)).length === 0)
  )
    wrong("like none of several");
  if (Array.isArray(value)) {
    if (value.length < Number(schema.minItems ?? 0)) wrong("too short");
    if (schema.items !== undefined)
      for (const [index, item] of value.entries())
        errors.push(...violations(item, within(schema.items), `${at}[${index}]`));
    return errors;
  }
  if (typeOf(value) !== "object") return errors;
  const object = value as Readonly<Record<string, unknown>>;
  for (const name of (schema.required ?? []) as string[])
    if (object[name] === undefined) wrong(`${name} is missing`);
  for (const [name, each] of Object.entries(object)) {
    const property = propertyOf(schema, name);
    if (property !== undefined) errors.push(...violations(each, within(property), `${at}.${name}`));
  }
  return errors;
}

function propertyOf({ additionalProperties, patternProperties, properties }: Schema, name: string): unknown {
  const named = (properties as Schema | undefined)?.[name];
  const matched = Object.entries(patternProperties ?? {}).find(([pattern]) => new RegExp(pattern).test(name));
  return (
    named ?? matched?.[1] ?? (typeof additionalProperties === "object" ? additionalProperties : undefined)
  );
}

/** Every property below a schema, as the path to it: `["linux", "devices", 0, "path"]`. */
export function* properties(
  located: Located,
  path: readonly (string | number)[] = [],
): Generator<{ readonly path: readonly (string | number)[]; readonly at: Located }> {
  const { file, schema } = resolved(located);
  const within = (part: unknown): Located => ({ file, schema: part as Schema });
  for (const part of [...((schema.allOf ?? []) as Schema[]), ...((schema.anyOf ?? []) as Schema[])])
    yield* properties(within(part), path);
  if (schema.items !== undefined) yield* properties(within(schema.items), [...path, 0]);
  for (const [name, part] of Object.entries((schema.properties ?? {}) as Schema)) {
    yield { path: [...path, name], at: resolved(within(part)) };
    yield* properties(within(part), [...path, name]);
  }
}

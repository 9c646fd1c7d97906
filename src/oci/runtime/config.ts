import { Refusal } from "../error.ts";
import { contradictions } from "./contradictions.ts";
import {
  absolutePath,
  flag,
  list,
  name,
  object,
  parseExactly,
  type Reader,
  record,
  text,
  type Value,
  type Warnings,
  whole,
  wrong,
} from "./read.ts";
import { idMappings, readLinux } from "./read-linux.ts";
import { readProcess } from "./read-process.ts";
import { readResources } from "./read-resources.ts";
import type { Resources } from "./resources.ts";
import type { Hook, Hooks, Mount, Process, Root, RuntimeSpec } from "./spec.ts";

/** The versions of the specification whose configurations are understood. */
export const OCI_VERSION = { min: "1.0.0", max: "1.3.0" } as const;

/** Larger than any that an engine writes; runc and crun have no bound. */
const CONFIG_MAX = 16 * 1024 * 1024;

/** A configuration, and what of it is passed over, one sentence each. */
export interface Read<T> {
  readonly value: T;
  readonly warnings: readonly string[];
}

const version: Reader<string> = (value, at, warnings) => {
  const given = text(value, at, warnings);
  // semver.org, version 2.0.0: three numbers, then perhaps a pre-release and a build.
  const [, major, minor] = /^(\d+)\.(\d+)\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/.exec(given) ?? [];
  if (major === undefined) throw wrong(at, `it must be a version like 1.2.0, not ${given.slice(0, 40)}`);
  if (major !== "1")
    throw wrong(
      at,
      `version ${given} is not understood, only 1.x: convert the bundle for version 1 of the specification`,
    );
  if (Number(minor) > 3)
    warnings.push(`${at}: version ${given} is newer than ${OCI_VERSION.max}; fields new in it are ignored`);
  return given;
};

const hook: Reader<Hook> = object<Hook>(
  {
    path: absolutePath,
    args: list(text),
    env: list(text),
    timeout: whole(1, 2 ** 31 - 1, "a number of seconds"),
  },
  "path",
);

const hooks = object<Hooks>({
  prestart: list(hook),
  createRuntime: list(hook),
  createContainer: list(hook),
  startContainer: list(hook),
  poststart: list(hook),
  poststop: list(hook),
});

const mount = object<Mount>(
  {
    destination: name,
    type: text,
    source: text,
    options: list(text),
    uidMappings: idMappings,
    gidMappings: idMappings,
  },
  "destination",
);

const spec = object<RuntimeSpec>(
  {
    ociVersion: version,
    root: object<Root>({ path: name, readonly: flag }, "path"),
    hostname: text,
    domainname: text,
    mounts: list(mount),
    process: readProcess,
    hooks,
    annotations: record(text),
    linux: readLinux,
  },
  "ociVersion",
);

/** Parts for other systems; a configuration that has one is not for this runtime. */
const ELSEWHERE = ["windows", "solaris", "vm", "zos", "freebsd"];

/**
 * Read `config.json`; `what` names it in errors.
 * @throws Refusal with one sentence that names the field and what to do
 */
export function readConfig(bytes: Uint8Array | string, what: string): Read<RuntimeSpec> {
  return read(parseExactly(bytes, CONFIG_MAX, what), what, (value, at, warnings) => {
    const elsewhere = ELSEWHERE.find((key) => value !== null && Object.hasOwn(Object(value), key));
    if (elsewhere !== undefined)
      throw wrong(
        elsewhere,
        "the configuration is for another system: this runtime makes Linux containers only",
      );
    const result = spec(value, at, warnings);
    contradictions(result);
    return result;
  });
}

/** Read the process that `exec` is given. */
export function readExecProcess(bytes: Uint8Array | string, what: string): Read<Process> {
  return read(parseExactly(bytes, CONFIG_MAX, what), what, (value, _, warnings) =>
    readProcess(value, "process", warnings),
  );
}

/** Read the limits that `update` is given. */
export function readUpdate(bytes: Uint8Array | string, what: string): Read<Resources> {
  return read(parseExactly(bytes, CONFIG_MAX, what), what, (value, _, warnings) =>
    readResources(value, "resources", warnings),
  );
}

function read<T>(value: Value, what: string, reader: Reader<T>): Read<T> {
  const warnings: Warnings = [];
  try {
    return { value: reader(value, "", warnings), warnings };
  } catch (error) {
    if (error instanceof Refusal) throw new Refusal(error.kind, `Cannot use ${what}: ${error.message}`);
    throw error;
  }
}

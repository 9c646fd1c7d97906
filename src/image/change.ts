import { signalNumber } from "../kernel/signals.ts";
import { Refusal } from "../oci/error.ts";
import type { ImageRunConfig } from "../oci/image.ts";
import { healthOf } from "./healthcheck.ts";
import { type Escape, execForm, expand, splitWords, type Variables } from "./words.ts";

/** Everything `applyInstruction` knows. */
const INSTRUCTIONS = [
  "CMD",
  "ENTRYPOINT",
  "ENV",
  "EXPOSE",
  "HEALTHCHECK",
  "LABEL",
  "ONBUILD",
  "STOPSIGNAL",
  "USER",
  "VOLUME",
  "WORKDIR",
] as const;
export type ConfigInstruction = (typeof INSTRUCTIONS)[number];

/** Whether a word (upper case) is an instruction that only changes how containers run. */
export function isConfigInstruction(word: string): word is ConfigInstruction {
  return (INSTRUCTIONS as readonly string[]).includes(word);
}

/** The values of `--change` of import and commit, applied in order. */
export function applyChanges(config: ImageRunConfig, changes: readonly string[]): ImageRunConfig {
  let result = config;
  for (const change of changes) {
    const match = /^\s*([A-Za-z]+)\s+(.*)$/s.exec(change);
    const word = (match?.[1] ?? change.trim()).toUpperCase();
    if (!isConfigInstruction(word)) throw new Refusal("invalid", `${word} is not a valid change command`);
    result = applyInstruction(result, word, match?.[2]?.trim() ?? "");
  }
  return result;
}

export interface InstructionContext {
  readonly variables?: Variables;
  readonly mark?: Escape;
}

/** One Dockerfile instruction that only changes how containers run. */
export function applyInstruction(
  config: ImageRunConfig,
  word: ConfigInstruction,
  text: string,
  context: InstructionContext = {},
): ImageRunConfig {
  const { mark = "\\" } = context;
  const variables: Variables = context.variables ?? ((name) => environment(config).get(name));
  const words = (): string[] => splitWords(text, variables, mark);
  if (text === "" && word !== "CMD" && word !== "ENTRYPOINT") {
    throw new Refusal("invalid", `${word} requires at least one argument`);
  }
  switch (word) {
    case "CMD":
      return { ...config, Cmd: commandOf(text, config) };
    case "ENTRYPOINT": {
      const Entrypoint = commandOf(text, config);
      // An entry point takes away the command it did not know (Docker: unless the same Dockerfile set it).
      return { ...config, Entrypoint };
    }
    case "ENV": {
      const env = environment(config);
      for (const [key, value] of pairs(word, text, variables, mark)) env.set(key, value);
      return { ...config, Env: [...env].map(([key, value]) => `${key}=${value}`) };
    }
    case "LABEL":
      return {
        ...config,
        Labels: { ...config.Labels, ...Object.fromEntries(pairs(word, text, variables, mark)) },
      };
    case "EXPOSE":
      return {
        ...config,
        ExposedPorts: { ...config.ExposedPorts, ...Object.fromEntries(portWords(words()).flatMap(ports)) },
      };
    case "VOLUME": {
      const paths = execForm(text)?.map((path) => expand(path, variables, mark)) ?? words();
      if (paths.length === 0) throw new Refusal("invalid", "VOLUME requires at least one argument");
      if (paths.some((path) => path.trim() === ""))
        throw new Refusal("invalid", "VOLUME specified can not be an empty string");
      return {
        ...config,
        Volumes: { ...config.Volumes, ...Object.fromEntries(paths.map((path) => [path, {}])) },
      };
    }
    case "USER":
      return { ...config, User: expand(text, variables, mark) };
    case "WORKDIR":
      return { ...config, WorkingDir: workdir(config.WorkingDir ?? "", expand(text, variables, mark)) };
    case "STOPSIGNAL":
      return { ...config, StopSignal: signalOf(expand(text, variables, mark)) };
    case "HEALTHCHECK":
      return { ...config, Healthcheck: healthOf(text) };
    case "ONBUILD": {
      const trigger = (/^\S+/.exec(text)?.[0] ?? "").toUpperCase();
      if (trigger === "ONBUILD")
        throw new Refusal("invalid", "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
      if (trigger === "FROM" || trigger === "MAINTAINER")
        throw new Refusal("invalid", `${trigger} isn't allowed as an ONBUILD trigger`);
      return { ...config, OnBuild: [...(config.OnBuild ?? []), text] };
    }
  }
}

/** A command: as listed, or run by the image's shell. */
export function commandOf(text: string, config: ImageRunConfig): string[] {
  return execForm(text) ?? (text === "" ? [] : [...(config.Shell ?? ["/bin/sh", "-c"]), text]);
}

/** The environment of an image as a map, in order. */
export function environment(config: ImageRunConfig): Map<string, string> {
  return new Map((config.Env ?? []).map((entry) => splitPair(entry)));
}

/** Up to the first blank that no quotes hold. */
const FIRST_WORD = /^(?:"(?:\\.|[^"\\])*"|'[^']*'|[^\s"'])+/s;

/** `KEY=value` pairs, or the old form `KEY all the rest`. */
export function pairs(word: string, text: string, variables: Variables, mark: Escape): [string, string][] {
  if (!(FIRST_WORD.exec(text)?.[0] ?? "").includes("=")) {
    const old = /^(\S+)\s+(.*)$/s.exec(text);
    if (old === null) throw new Refusal("invalid", `${word} must have two arguments`);
    return [[expand(old[1]!, variables, mark), expand(old[2]!, variables, mark)]];
  }
  return splitWords(text, variables, mark).map((pair) => {
    if (!pair.includes("="))
      throw new Refusal(
        "invalid",
        `Syntax error - can't find = in "${pair}". Must be of the form: name=value`,
      );
    if (pair.startsWith("=")) throw new Refusal("invalid", `${word} names can not be blank`);
    return splitPair(pair);
  });
}

function splitPair(pair: string): [string, string] {
  const equals = pair.indexOf("=");
  return equals === -1 ? [pair, ""] : [pair.slice(0, equals), pair.slice(equals + 1)];
}

/** What a variable brings in may be several ports, or none. */
const portWords = (words: readonly string[]): string[] =>
  words.flatMap((word) => word.split(/\s+/)).filter((word) => word !== "");

function ports(word: string): [string, Record<string, never>][] {
  const match = /^(?:.*:)?(\d+)(?:-(\d+))?(?:\/(\w+))?$/.exec(word);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (match === null || first < 1 || last > 65535 || last < first) {
    throw new Refusal("invalid", `Invalid containerPort: ${word}`);
  }
  const protocol = (match[3] ?? "tcp").toLowerCase();
  if (!["tcp", "udp", "sctp"].includes(protocol)) throw new Refusal("invalid", `Invalid proto: ${match[3]}`);
  const list: [string, Record<string, never>][] = [];
  for (let port = first; port <= last; port++) list.push([`${port}/${protocol}`, {}]);
  return list;
}

/** A working directory, relative to the one before. */
export function workdir(before: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${before}/${path}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

function signalOf(text: string): string {
  if (signalNumber(text) !== undefined) return text;
  throw new Refusal("invalid", `invalid signal: ${text}`);
}

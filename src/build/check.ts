import { pairs } from "../image/change.ts";
import { healthOf } from "../image/healthcheck.ts";
import { type Escape, execForm, splitWords } from "../image/words.ts";
import { Refusal } from "../oci/error.ts";
import type { Instruction } from "./dockerfile.ts";

/** Flags of the classic builder's instructions; those of RUN are known, and refused where they are used. */
const FLAGS: Readonly<Record<string, readonly string[]>> = {
  ADD: ["chown", "chmod", "link"],
  COPY: ["from", "chown", "chmod", "link"],
  FROM: ["platform"],
  RUN: ["mount", "network", "security"],
  HEALTHCHECK: ["interval", "timeout", "start-period", "start-interval", "retries"],
};
/** Flags that may stand without a value, or more than once. */
const LOOSE = new Set(["link", "mount"]);
const ONE_ARGUMENT = new Set(["MAINTAINER", "USER", "WORKDIR", "STOPSIGNAL"]);
const LISTS = new Set(["RUN", "CMD", "ENTRYPOINT", "ADD", "COPY", "VOLUME", "SHELL"]);
const STAGE_NAME = /^[a-z][a-z0-9-_.]*$/;

/**
 * What is wrong with instructions before any is carried out, in Docker's words: nothing has been built when a
 * Dockerfile is refused.
 * @param begins a stage has begun before the first of them
 * @throws Refusal that names the line
 */
export function checkInstructions(instructions: readonly Instruction[], mark: Escape, begins: boolean): void {
  let begun = begins;
  for (const instruction of instructions) {
    const { name, line } = instruction;
    begun ||= name === "FROM";
    const why =
      (begun || name === "ARG"
        ? undefined
        : `${name}: no build stage in current context: the first instruction is FROM`) ??
      wrongFlag(instruction) ??
      wrongText(instruction, mark);
    if (why !== undefined) throw new Refusal("invalid", `dockerfile parse error on line ${line}: ${why}`);
  }
}

function wrongFlag({ name, text, flags }: Instruction): string | undefined {
  // Of the others none takes flags, and their text is as it was written.
  const given = flags.length > 0 ? flags : (/^((--\S+)\s*)*/.exec(text)?.[0].split(/\s+/) ?? []);
  const seen = new Set<string>();
  for (const flag of given) {
    if (!/^--./.test(flag)) continue;
    const [word = ""] = flag.slice(2).split("=", 1);
    if (!FLAGS[name]?.includes(word)) return `unknown flag: --${word}`;
    if (LOOSE.has(word)) continue;
    if (seen.has(word)) return `duplicate flag specified: --${word}`;
    if (!flag.includes("=")) return `missing a value on flag: --${word}`;
    seen.add(word);
  }
  return undefined;
}

function wrongText({ name, text }: Instruction, mark: Escape): string | undefined {
  if (text === "" && name !== "CMD" && name !== "ENTRYPOINT") {
    if (name === "FROM") return "FROM requires either one or three arguments";
    if (name === "ADD" || name === "COPY") return tooFew(name);
    return `${name} requires ${ONE_ARGUMENT.has(name) ? "exactly" : "at least"} one argument`;
  }
  const list = LISTS.has(name) ? execForm(text) : undefined;
  if (list === undefined && LISTS.has(name) && isList(text))
    return "when using JSON array syntax, arrays must be comprised of strings only";
  switch (name) {
    case "FROM": {
      const match = /^(\S+)(?:\s+as\s+(\S+))?$/i.exec(text);
      if (match === null) return "FROM requires either one or three arguments";
      if (match[2] === undefined || STAGE_NAME.test(match[2].toLowerCase())) return undefined;
      return `invalid name for build stage: "${match[2]}", name can't start with a number or contain symbols`;
    }
    case "ADD":
    case "COPY":
      return (list ?? text.split(/\s+/)).length < 2 ? tooFew(name) : undefined;
    case "ARG":
      return refusalOf(() => {
        if (splitWords(text, () => "x", mark).some((word) => word.startsWith("=")))
          throw new Refusal("invalid", "ARG names can not be blank");
      });
    case "ENV":
    case "LABEL":
      if (text.startsWith("=")) return `${name} names can not be blank`;
      return refusalOf(() => pairs(name, text, () => "x", mark));
    case "HEALTHCHECK":
      return refusalOf(() => healthOf(text));
    case "ONBUILD": {
      const trigger = (/^\S+/.exec(text)?.[0] ?? "").toUpperCase();
      if (trigger === "ONBUILD") return "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed";
      return ["FROM", "MAINTAINER"].includes(trigger)
        ? `${trigger} isn't allowed as an ONBUILD trigger`
        : undefined;
    }
    case "SHELL":
      return list === undefined ? "SHELL requires the arguments to be in JSON form" : undefined;
    case "VOLUME":
      if (list?.length === 0) return "VOLUME requires at least one argument";
      return list?.some((path) => path.trim() === "")
        ? "VOLUME specified can not be an empty string"
        : undefined;
    default:
      return undefined;
  }
}

const tooFew = (name: string): string =>
  `${name} requires at least two arguments, but only one was provided. Destination could not be determined`;

/** The sentence of what is refused; what depends on variables shows when they are known. */
function refusalOf(read: () => unknown): string | undefined {
  try {
    read();
  } catch (error) {
    if (error instanceof Refusal) return error.message;
  }
  return undefined;
}

function isList(text: string): boolean {
  try {
    return text.startsWith("[") && Array.isArray(JSON.parse(text));
  } catch {
    return false;
  }
}

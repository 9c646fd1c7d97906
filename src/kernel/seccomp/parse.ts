import type { Filter, Profile, ProfileRule } from "./profile.ts";

/** Docker's default is 25 KB. */
const MOST_BYTES = 4 * 1024 * 1024;

/**
 * A seccomp profile from its JSON text. Shapes are checked here, names and numbers when it is compiled.
 * @returns undefined for one without a default action and rules: it says nothing
 * @throws Error that says what is wrong where
 */
export function parseProfile(text: string): Profile | undefined {
  if (text.length > MOST_BYTES) throw new Error(`it is larger than ${MOST_BYTES} bytes`);
  const profile: unknown = JSON.parse(text);
  if (!isObject(profile)) throw new Error("it is not an object");
  const { defaultAction, defaultErrnoRet, architectures, archMap, flags, syscalls = [] } = profile;
  if (!optional(syscalls, Array.isArray)) throw new Error("'syscalls' is not a list");
  const rules = (syscalls ?? []) as readonly unknown[];
  if ((defaultAction === undefined || defaultAction === "") && rules.length === 0) return undefined;
  if (typeof defaultAction !== "string") throw new Error("'defaultAction' is missing");
  if (!optional(defaultErrnoRet, Number.isInteger)) throw new Error("'defaultErrnoRet' is not a number");
  if (!optional(architectures, isWords)) throw new Error("'architectures' is not a list of names");
  if (!optional(flags, isWords)) throw new Error("'flags' is not a list of names");
  if (!optional(archMap, isArchMap)) throw new Error("'archMap' is not a list of architectures");
  if (nonEmpty(architectures) && nonEmpty(archMap)) {
    throw new Error(
      "both 'architectures' and 'archMap' are specified in the seccomp profile, use either 'architectures' or 'archMap'",
    );
  }
  rules.forEach(checkRule);
  return withoutNulls({ ...profile, syscalls: rules }) as unknown as Profile;
}

function checkRule(rule: unknown, index: number): asserts rule is ProfileRule {
  const where = `rule ${index + 1} of 'syscalls'`;
  if (!isObject(rule)) throw new Error(`${where} is not an object`);
  const { name, names, action, errnoRet, args, includes, excludes } = rule;
  if (!optional(name, isWord) || !optional(names, isWords)) throw new Error(`${where} has no list of names`);
  if (name && nonEmpty(names)) {
    throw new Error(
      "both 'name' and 'names' are specified in the seccomp profile, use either 'name' or 'names'",
    );
  }
  if (typeof action !== "string") throw new Error(`${where} has no action`);
  if (!optional(errnoRet, Number.isInteger))
    throw new Error(`${where} has an 'errnoRet' that is not a number`);
  if (!optional(args, (list) => Array.isArray(list) && list.every(isCondition))) {
    throw new Error(`${where} has arguments that are no comparisons`);
  }
  if (!optional(includes, isFilter) || !optional(excludes, isFilter)) {
    throw new Error(`${where} has 'includes' or 'excludes' that are no filters`);
  }
}

function isCondition(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { index, value: first, valueTwo, op } = value;
  // Larger numbers have lost digits when JSON was read: better refused than compared with something else.
  const exact = (number: unknown) => Number.isSafeInteger(number);
  return exact(index) && exact(first) && optional(valueTwo, exact) && typeof op === "string";
}

function isFilter(value: unknown): value is Filter {
  if (!isObject(value)) return false;
  const { caps, arches, minKernel } = value;
  return optional(caps, isWords) && optional(arches, isWords) && optional(minKernel, isWord);
}

function isArchMap(value: unknown): boolean {
  const isEntry = (entry: unknown) =>
    isObject(entry) && isWord(entry.architecture) && optional(entry.subArchitectures, isWords);
  return Array.isArray(value) && value.every(isEntry);
}

/** Go writes empty lists as null: they are as good as absent. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([, entry]) => entry !== null);
  return Object.fromEntries(kept.map(([key, entry]) => [key, withoutNulls(entry)]));
}

const optional = (value: unknown, holds: (value: unknown) => boolean) =>
  value === undefined || value === null || holds(value);
const nonEmpty = (value: unknown) => Array.isArray(value) && value.length > 0;
const isWord = (value: unknown): value is string => typeof value === "string";
const isWords = (value: unknown) => Array.isArray(value) && value.every(isWord);
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

import { constants } from "node:fs";
import { AT, O } from "../../kernel/flags.ts";
import { call, from, mem, num, space } from "../../plan/build.ts";
import type { Arg, Attempt, Data, Step } from "../../plan/step.ts";
import type { RunPlan } from "../../storage/kernel.ts";
import { byteText } from "./entry.ts";
import type { Listing } from "./walk.ts";

/** Extended attributes of the entries of a tree that have any, by path beneath the root ("" is the root). */
export type TreeXattrs = ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>;

/** XATTR_LIST_MAX and XATTR_SIZE_MAX (linux/limits.h). */
const XATTR_MAX = 65536;
/** Entries a program asks about; more would make it large. */
const ENTRIES_MAX = 500;
/** Of the architecture this runs on: aarch64 has its own `O_DIRECTORY` and `O_NOFOLLOW`. */
const PATH_DIRECTORY = O.PATH | O.CLOEXEC | constants.O_DIRECTORY;
/** Entries that vanish, change kind or have no attributes are passed over. */
const PASS = [
  "ENOENT",
  "ENOTDIR",
  "ELOOP",
  "EOPNOTSUPP",
  "ENODATA",
  "EACCES",
  "EPERM",
  "E2BIG",
  "ERANGE",
] as const;

/** What to ask: a name in a directory, and a key where its value is wanted. */
interface Question {
  readonly parts: readonly string[];
  readonly name: string;
  readonly key?: string;
}

/**
 * Reads the attributes beneath an open directory. Every component is opened without following links by the
 * program itself, so a tree that changes meanwhile cannot lead it elsewhere. `root` is a descriptor of this
 * process.
 */
export async function readXattrs(
  root: number,
  listings: readonly Listing[],
  runPlan: RunPlan,
  wanted: (key: string) => boolean = () => true,
): Promise<TreeXattrs> {
  const entries: Question[] = [{ parts: [], name: "." }];
  for (const { parts, names } of listings) for (const name of names) entries.push({ parts, name });
  const keyed: Question[] = [];
  await ask(root, entries, runPlan, (question, list) => {
    for (const key of byteText(list).split("\0")) {
      if (key !== "" && wanted(key)) keyed.push({ ...question, key });
    }
  });
  const result = new Map<string, Map<string, Uint8Array>>();
  await ask(root, keyed, runPlan, (question, value) => {
    const path = question.name === "." ? "" : [...question.parts, question.name].join("/");
    const known = result.get(path) ?? new Map<string, Uint8Array>();
    known.set(question.key ?? "", value);
    result.set(path, known);
  });
  return result;
}

async function ask(
  root: number,
  questions: readonly Question[],
  runPlan: RunPlan,
  answer: (question: Question, bytes: Uint8Array) => void,
): Promise<void> {
  for (let start = 0; start < questions.length; start += ENTRIES_MAX) {
    const batch = questions.slice(start, start + ENTRIES_MAX);
    const { output } = await runPlan({ steps: [openRootStep(root), ...stepsOf(batch)] });
    const view = new DataView(output.buffer, output.byteOffset, output.byteLength);
    for (let at = 0; at < output.length; ) {
      const question = batch[view.getUint32(at, true)];
      const length = Number(view.getBigInt64(at + 4, true));
      if (question === undefined) throw new Error("Cannot read extended attributes: the answer is garbled");
      answer(question, output.slice(at + 12, at + 12 + length));
      at += 12 + length;
    }
  }
}

/** Questions of one directory are neighbours: it is opened once for them. */
function stepsOf(batch: readonly Question[]): Step[] {
  const steps: Step[] = [];
  for (let i = 0; i < batch.length; ) {
    const { parts } = batch[i]!;
    const inside: Step[] = [];
    for (; i < batch.length && batch[i]!.parts === parts; i++) inside.push(question(batch[i]!, i));
    steps.push(enter(parts, inside));
  }
  return steps;
}

const why = "read the extended attributes of a layer's files";

function openRootStep(root: number): Step {
  const flags = num(PATH_DIRECTORY, "O_PATH|O_DIRECTORY|O_CLOEXEC");
  const path = `/proc/${process.pid}/fd/${root}`;
  return call("openat", [num(AT.FDCWD, "AT_FDCWD"), text(path), flags], why, { result: "root" });
}

/** Goes down from the root, one component at a time; `inside` is skipped when one of them has vanished. */
function enter(parts: readonly string[], inside: readonly Step[]): Step {
  const flags = num(PATH_DIRECTORY | constants.O_NOFOLLOW, "O_PATH|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC");
  const open = parts.map((part, i) => {
    const parent = i === 0 ? "root" : `at${i - 1}`;
    return call("openat", [from(parent), text(part), flags], why, { result: `at${i}` });
  });
  const last = parts.length === 0 ? "root" : `at${parts.length - 1}`;
  let steps: Step[] = [call("fchdir", [from(last)], why), ...inside];
  for (const [i, step] of [...open.entries()].reverse()) {
    const close = call("close", [from(`at${i}`)], why, { tolerate: ["EBADF"] });
    steps = [attempt([step, ...steps, close])];
  }
  const [only] = steps;
  return parts.length > 0 && only !== undefined ? only : attempt(steps);
}

function question({ name, key }: Question, index: number): Step {
  const buffer = space(XATTR_MAX, "xattr");
  const read =
    key === undefined
      ? call("llistxattr", [text(name), mem(buffer), num(XATTR_MAX)], why, { result: "length" })
      : call("lgetxattr", [text(name), text(key), mem(buffer), num(XATTR_MAX)], why, { result: "length" });
  const write = (data: Arg, size: Arg): Step => call("write", [num(1), data, size], why);
  const tag = mem({ kind: "bytes", bytes: new Uint8Array(Uint32Array.of(index).buffer) });
  const steps = [
    read,
    write(tag, num(4)),
    write({ kind: "slotAddress", slot: "length" }, num(8)),
    write(mem(buffer), from("length")),
  ];
  return attempt(steps);
}

function attempt(steps: readonly Step[]): Attempt {
  return { kind: "attempt", tolerate: PASS, steps, why };
}

function text(value: string): Arg {
  const data: Data = { kind: "bytes", bytes: Buffer.from(`${value}\0`, "latin1") };
  return mem(data);
}

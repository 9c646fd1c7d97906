import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { codeOf } from "../oci/error.ts";
import type { Linux } from "../oci/runtime/linux.ts";
import { parseExactly } from "../oci/runtime/read.ts";
import type { Seccomp } from "../oci/runtime/seccomp.ts";
import type { Hooks, Process } from "../oci/runtime/spec.ts";
import { DOCUMENT } from "../wire/runtime.ts";
import { RuntimeError } from "./failure.ts";
import type { NamedHook } from "./hook-end.ts";

/**
 * `<root>/<id>/`: the state of one container. `state.json` is its document, written before there is a process; the
 * files beside it are the launch program's (container/launch/caller.ts).
 */

/** A step that can still fail when the container is started, for whoever starts it. */
export interface LateStep {
  readonly why: string;
  readonly call: string;
  readonly hint?: string;
  readonly hook?: NamedHook;
}

/** The document. */
export interface ContainerDocument {
  readonly format: typeof FORMAT;
  readonly ociVersion: string;
  readonly id: string;
  readonly bundle: string;
  readonly rootfs: string;
  /** RFC 3339 with nanoseconds, UTC. */
  readonly created: string;
  /** Who made it. */
  readonly owner: number;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Relative to each cgroup tree. */
  readonly cgroup: string;
  /** It has no pid namespace of its own: its processes do not end with the first. */
  readonly sharesPids?: true;
  /** Its session keyring is that of whoever made it, and so for each exec. */
  readonly sameKeyring?: true;
  /** It has no mount namespace of its own. */
  readonly sharesMounts?: true;
  /** It is in the cgroups of whoever made it: `cgroup` is not there. */
  readonly noCgroup?: true;
  /** systemd's unit that the cgroup belongs to. */
  readonly unit?: string;
  /** What `exec` starts from. */
  readonly process: Process;
  readonly seccomp?: Seccomp;
  readonly personality?: Linux["personality"];
  readonly memoryPolicy?: Linux["memoryPolicy"];
  readonly hooks?: Hooks;
  readonly late: Readonly<Record<string, LateStep>>;
}

const FORMAT = "cais-runtime/1";
/** A configuration may be that large, and the document holds parts of it. */
const LARGEST = 32 * 1024 * 1024;

/** Letters, digits and `_+-.`, as runc has it; and a file's name at most. */
export function checkId(id: string): string {
  if (!/^[\w+.-]{1,255}$/.test(id) || id === "." || id === "..")
    throw new RuntimeError("invalid container ID format");
  return id;
}

/** The container's directory, made now: only one of two creates gets it. */
export function claim(root: string, id: string): string {
  mkdirSync(root, { recursive: true, mode: 0o711 });
  const directory = join(root, checkId(id));
  try {
    mkdirSync(directory, { mode: 0o711 });
  } catch (error) {
    if (codeOf(error) === "EEXIST") throw new RuntimeError("container with given ID already exists");
    throw error;
  }
  return directory;
}

/** Write the document, whole or not at all. */
export function writeDocument(directory: string, document: Omit<ContainerDocument, "format">): void {
  const text = JSON.stringify({ format: FORMAT, ...document }, exactly);
  const beside = join(directory, `.${DOCUMENT}`);
  writeFileSync(beside, text, { mode: 0o600 });
  renameSync(beside, join(directory, DOCUMENT));
}

/** Numbers beyond what JavaScript counts exactly, as they are. */
const exactly = (_key: string, value: unknown): unknown =>
  typeof value === "bigint"
    ? (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(String(value))
    : value;

/**
 * The document of a container.
 * @throws RuntimeError "container does not exist", or that the directory is somebody else's
 */
export function readDocument(root: string, id: string): ContainerDocument {
  const directory = join(root, checkId(id));
  let text: string;
  try {
    text = readFileSync(join(directory, DOCUMENT), "utf8");
  } catch (error) {
    if (codeOf(error) !== "ENOENT" && codeOf(error) !== "ENOTDIR") throw error;
    if (isHalfMade(directory)) throw new RuntimeError(`Cannot use container ${id}: ${HALF_MADE}`);
    throw new RuntimeError(statSync(directory, { throwIfNoEntry: false }) ? notOurs(directory) : NONE);
  }
  const document = parsed(text);
  if (document === undefined || document.id !== id) throw new RuntimeError(notOurs(directory));
  return document;
}

const NONE = "container does not exist";
const HALF_MADE = "its creation was cut short; `delete --force` clears it away";
const notOurs = (directory: string) =>
  `Cannot use state directory ${directory}: it was written by something else than this runtime; name another --root`;

/** Whether it is what a creation leaves that is killed before it has written its document. */
export function isHalfMade(directory: string): boolean {
  try {
    return readdirSync(directory).every((name) => name === `.${DOCUMENT}`);
  } catch {
    return false;
  }
}

function parsed(text: string): ContainerDocument | undefined {
  try {
    const value = parseExactly(text, LARGEST, DOCUMENT) as unknown as Partial<ContainerDocument> | null;
    const { bundle, cgroup, format, id, late, process, rootfs } = value ?? {};
    const ours =
      format === FORMAT &&
      [id, bundle, rootfs].every((each) => typeof each === "string") &&
      [late, process].every((each) => typeof each === "object" && each !== null) &&
      isOwnCgroup(cgroup);
    return ours ? (value as ContainerDocument) : undefined;
  } catch {
    return undefined;
  }
}

/** Whoever is in it will be killed: never all that a machine runs. */
const isOwnCgroup = (cgroup: unknown): boolean =>
  typeof cgroup === "string" &&
  /^(\/[^/]+)+$/.test(cgroup) &&
  cgroup.split("/").every((part) => part !== "." && part !== "..");

/** Whether there is anything at that path. */
export const exists = (directory: string): boolean =>
  statSync(directory, { throwIfNoEntry: false }) !== undefined;

/** All containers below `root`, by id; directories of something else are passed over. */
export function listDocuments(root: string): ContainerDocument[] {
  let names: string[];
  try {
    names = readdirSync(root);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
  return names.sort().flatMap((name) => {
    try {
      return [readDocument(root, name)];
    } catch {
      return [];
    }
  });
}

/** Remove the container's directory; the caller knows that it is ours. The document goes last. */
export function removeDirectory(directory: string): void {
  for (const name of readdirSync(directory))
    if (name !== DOCUMENT) rmSync(join(directory, name), { recursive: true, force: true });
  rmSync(join(directory, DOCUMENT), { force: true });
  rmdirSync(directory);
}

import { AT, CLONE, flags, MOVE_MOUNT, MS, OPEN_TREE } from "../../kernel/flags.ts";
import type { Hook, Hooks, RuntimeSpec } from "../../oci/runtime/spec.ts";
import { call, close, from, mem, num, str, struct, u64 } from "../../plan/build.ts";
import { type Hook as HookStep, type Slot, type Step, SYNC, SYNC_PARENT } from "../../plan/step.ts";
import { HERE, open } from "./files.ts";
import { mountCall } from "./mounts.ts";
import type { Because } from "./reasons.ts";

/**
 * Hooks (runtime-spec, config.md "POSIX-platform Hooks"): programs that the launch program itself runs. `prestart` and
 * `createRuntime` run in the keeper, `createContainer` and `startContainer` in the container's first process,
 * `poststart` in the keeper once the workload runs. `poststop` is for whoever deletes the container.
 */

/** What hooks are told of a container, and where they stand. */
export interface Bundle {
  readonly id: string;
  /** Absolute path. */
  readonly path: string;
  /** The root file system on the host, absolute: where hooks before the pivot find the container's tree. */
  readonly root: string;
  /** A file that the output of hooks is added to; without one it goes where the keeper's or the container's goes. */
  readonly hookOutput?: string;
}

export type HookKind = keyof Hooks;

/** The container's state as runc tells it at that time (runtime.md, "State"). */
const STATUS: Record<HookKind, string> = {
  prestart: "creating",
  createRuntime: "creating",
  createContainer: "creating",
  startContainer: "created",
  poststart: "running",
  poststop: "stopped",
};

/** A hook whose configuration names no environment gets the usual places of programs, and nothing of its caller's. */
const NO_ENVIRONMENT = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"];

const HOOK_OUTPUT: Slot = "hook-output";
const HOST_MOUNTS: Slot = "hook-host-mounts";
const OWN_MOUNTS: Slot = "hook-own-mounts";

/** The JSON of a container's state; `pid` is left out where there is no process any more. */
export function stateJson(spec: RuntimeSpec, bundle: Bundle, status: string, pid?: number): string {
  const { annotations, ociVersion } = spec;
  return JSON.stringify({
    ociVersion,
    id: bundle.id,
    status,
    ...(pid === undefined ? {} : { pid }),
    bundle: bundle.path,
    ...(annotations === undefined ? {} : { annotations }),
  });
}

/** The same around a pid that only the launch program knows. */
export function stateAround(
  spec: RuntimeSpec,
  bundle: Bundle,
  status: string,
): { readonly before: string; readonly after: string } {
  // No process has this number; everything before `pid` is known not to contain it.
  const [before = "", after = ""] = stateJson(spec, bundle, status, PLACEHOLDER).split(
    `"pid":${PLACEHOLDER}`,
  );
  return { before: `${before}"pid":`, after };
}

const PLACEHOLDER = 2 ** 52 + 1;

/** Environment of a hook. One of the container's own programs has the process's, as with runc. */
function hookEnvironment(spec: RuntimeSpec, kind: HookKind, { env = [] }: Hook): readonly string[] {
  if (env.length > 0) return env;
  return kind === "startContainer" ? (spec.process?.env ?? []) : NO_ENVIRONMENT;
}

/** Everything that the hooks of a configuration are made from. */
export interface HookParts {
  readonly spec: RuntimeSpec;
  readonly bundle: Bundle;
  readonly because: Because;
}

/** The steps that run the hooks of one kind, in their order. */
export function runHooks(
  { because, bundle, spec }: HookParts,
  kind: HookKind,
  pid: Slot,
  prepare: readonly Step[],
  output?: Slot,
): HookStep[] {
  return (spec.hooks?.[kind] ?? []).map((hook, index) => ({
    kind: "hook",
    name: `${kind} hook #${index}`,
    path: hook.path,
    argv: hook.args === undefined || hook.args.length === 0 ? [hook.path] : hook.args,
    env: hookEnvironment(spec, kind, hook),
    ...(hook.timeout === undefined ? {} : { timeout: hook.timeout }),
    input: { ...stateAround(spec, bundle, STATUS[kind]), pid },
    prepare,
    ...(output === undefined ? {} : { output }),
    ...because(`hooks.${kind}[${index}]`, `run the ${kind} hook ${hook.path}`),
  }));
}

/** Hooks that are run by a launch program. */
const CREATORS = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart"] as const;

const has = ({ hooks = {} }: RuntimeSpec, ...kinds: readonly HookKind[]) =>
  kinds.some((kind) => (hooks[kind] ?? []).length > 0);

/** Whether there are hooks that want to see the container before its root is the only one. */
export const hooksBeforePivot = (spec: RuntimeSpec): boolean =>
  has(spec, "prestart", "createRuntime", "createContainer");

/** In the keeper, before the clone: both sides write the hooks' output to one file. */
export function openHookOutput(spec: RuntimeSpec, { hookOutput }: Bundle): Step[] {
  if (hookOutput === undefined || !has(spec, ...CREATORS)) return [];
  return [open(hookOutput, HOOK_OUTPUT, { why: "keep what hooks say" }, ["WRONLY", "CREAT", "APPEND"])];
}

const outputOf = ({ hookOutput }: Bundle) => (hookOutput === undefined ? undefined : HOOK_OUTPUT);

const closeOutput = ({ hookOutput }: Bundle): Step[] =>
  hookOutput === undefined ? [] : [close(HOOK_OUTPUT, "leave it to the keeper")];

/** In a container's process that runs no hook: the output of those is not for it. */
export const forgetHookOutput = (spec: RuntimeSpec, bundle: Bundle): Step[] =>
  hooksBeforePivot(spec) || has(spec, "startContainer") ? [] : closeOutput(bundle);

/** In the keeper: run its hooks when the container's file systems are there, then let the container go on. */
export function keeperHooks(parts: HookParts): Step[] {
  if (!hooksBeforePivot(parts.spec)) return [];
  const stand = [call("chdir", [str(parts.bundle.path)], "stand in the bundle")];
  const output = outputOf(parts.bundle);
  return [
    { kind: "receive", why: "wait until the container's file systems can be seen" },
    ...runHooks(parts, "prestart", "child", stand, output),
    ...runHooks(parts, "createRuntime", "child", stand, output),
    say(SYNC_PARENT, "let the container go on"),
  ];
}

/** In the keeper: the workload runs. */
export function poststartHooks(parts: HookParts): Step[] {
  if (!has(parts.spec, "poststart")) return [];
  const stand = [call("chdir", [str(parts.bundle.path)], "stand in the bundle")];
  return runHooks(parts, "poststart", "child", stand, outputOf(parts.bundle));
}

/** A message without a descriptor: kind, step and error are 0. */
function say(socket: Slot, why: string): Step {
  return call("write", [from(socket), mem(struct([u64(0, 0, 0)]), "go"), num(24)], why);
}

/**
 * In the container's process, before its root is mounted: go on in a copy of the mount namespace. The one that is
 * left has the host's tree still, and is where hooks find both that and the container's.
 */
export function keepHostView({ bundle, spec }: HookParts): Step[] {
  if (!hooksBeforePivot(spec)) return [];
  const why = "keep the host's tree in sight for hooks";
  return [
    open("/proc/self/ns/mnt", HOST_MOUNTS, { why }, ["RDONLY"]),
    open(bundle.root, "hook-root", { why }, ["PATH"]),
    call("unshare", [num(CLONE.NEWNS, "CLONE_NEWNS")], why),
    open("/proc/self/ns/mnt", OWN_MOUNTS, { why }, ["RDONLY"]),
  ];
}

/** Mounts on which hooks make mounts of their own that the container is to have as well. */
const SHARED = ["/", "/dev", "/proc", "/sys"];

/**
 * In the container's process, with all file systems mounted: show a copy of the container's tree on its place in the
 * host's, run the hooks there, come back. What hooks mount in the copy appears in the container, because the two are
 * in one peer group as long as it takes (mount_namespaces(7)); bind mounts are left out of it.
 */
export function containerHooks(parts: HookParts, destinations: ReadonlySet<string>): Step[] {
  if (!hooksBeforePivot(parts.spec)) return [];
  const { bundle } = parts;
  const shown = { why: "show hooks the container's tree on its place in the host's" };
  const shared = SHARED.filter((path) => path === "/" || destinations.has(path));
  const propagate = (flag: number, text: string, why: string) =>
    shared.map((path) => mountCall("none", path, "none", flag, [text], "", { why }));
  const enter = (slot: Slot, why: string) =>
    call("setns", [from(slot), num(CLONE.NEWNS, "CLONE_NEWNS")], why);
  const onto = flags("MOVE_MOUNT", MOVE_MOUNT, "F_EMPTY_PATH", "T_EMPTY_PATH");
  const prepare = [call("fchdir", [from("hook-tree")], "stand in the container's root")];
  return [
    ...propagate(MS.SHARED, "MS_SHARED", "let mounts of hooks appear in the container"),
    call(
      "open_tree",
      [
        HERE,
        str("/"),
        num(
          OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC | AT.RECURSIVE,
          "OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_RECURSIVE",
        ),
      ],
      shown,
      { result: "hook-tree" },
    ),
    enter(HOST_MOUNTS, shown.why),
    call(
      "move_mount",
      [from("hook-tree"), str(""), from("hook-root"), str(""), num(onto.value, onto.text)],
      shown,
    ),
    close("hook-root", "close it"),
    say(SYNC, "let the keeper run its hooks"),
    { kind: "receive", why: "wait for the keeper's hooks" },
    ...ownPid(parts.spec, "createContainer"),
    ...runHooks(parts, "createContainer", "self", prepare, outputOf(bundle)),
    close("hook-tree", "close it"),
    enter(OWN_MOUNTS, "go back to the container's own tree"),
    ...propagate(MS.SLAVE, "MS_SLAVE", "share no mount any more"),
    close(HOST_MOUNTS, "close it"),
    close(OWN_MOUNTS, "close it"),
    ...(has(parts.spec, "startContainer") ? [] : closeOutput(bundle)),
  ];
}

/** In the namespaces of the container a process is told its pid as it is there. */
function ownPid(spec: RuntimeSpec, kind: HookKind): Step[] {
  return has(spec, kind) ? [call("getpid", [], "tell hooks which process it is", { result: "self" })] : [];
}

/** In the container's process, when it may start: programs of its own root, with no more rights than the workload. */
export function startHooks(parts: HookParts, privileges: readonly Step[]): Step[] {
  if (!has(parts.spec, "startContainer")) return [];
  return [
    ...ownPid(parts.spec, "startContainer"),
    ...runHooks(parts, "startContainer", "self", privileges, outputOf(parts.bundle)),
    ...closeOutput(parts.bundle),
  ];
}

import { resolve } from "node:path";
import { ownRights } from "../kernel/rights.ts";
import { RUNTIME_ROOT } from "../wire/runtime.ts";
import { type Flags, readArguments } from "./arguments.ts";
import type { RuntimeCommand } from "./context.ts";
import { RuntimeError, wordsOf } from "./failure.ts";
import { type Log, makeLog, STDERR } from "./log.ts";

/** A runtime in the sense of the OCI runtime specification, called as containerd, podman and dockerd call runc. */

export const GLOBAL: Flags = {
  debug: {},
  log: { value: true },
  "log-format": { value: true },
  root: { value: true },
  "systemd-cgroup": {},
  rootless: { value: true },
  criu: { value: true },
  version: { short: "v" },
  help: { short: "h" },
};

/** Loaded only when the command runs: start-up is most of what a short command costs. */
export const COMMANDS: Readonly<Record<string, () => Promise<{ readonly default: RuntimeCommand }>>> = {
  create: () => import("./commands/create.ts"),
  delete: () => import("./commands/delete.ts"),
  events: () => import("./commands/events.ts"),
  exec: () => import("./commands/exec.ts"),
  features: () => import("./commands/features.ts"),
  kill: () => import("./commands/kill.ts"),
  list: () => import("./commands/list.ts"),
  pause: () => import("./commands/pause.ts"),
  ps: () => import("./commands/ps.ts"),
  resume: () => import("./commands/resume.ts"),
  run: () => import("./commands/run.ts"),
  spec: () => import("./commands/spec.ts"),
  start: () => import("./commands/start.ts"),
  state: () => import("./commands/state.ts"),
  update: () => import("./commands/update.ts"),
};

/** Known to runc, and not done here. */
const REFUSED: Readonly<Record<string, string>> = {
  checkpoint: "Cannot checkpoint a container: this runtime has no checkpoint and restore",
  restore: "Cannot restore a container: this runtime has no checkpoint and restore",
};

/** Run one command line; resolves to its exit code. */
export async function runtime(argv: readonly string[]): Promise<number> {
  let log: Log = STDERR;
  try {
    const front = readArguments(GLOBAL, argv);
    log = makeLog(front.get("log"), front.get("log-format") ?? "text", front.has("debug"));
    const [word, ...rest] = front.args;
    log.debug(`called with ${JSON.stringify(argv)}`);
    if (front.has("version")) return await (await import("./version.ts")).printVersion();
    if (word === undefined || front.has("help") || (word === "help" && rest.length === 0))
      return (await import("./help.ts")).printHelp(GLOBAL);
    if (word === "help")
      return await runtime([...argv.slice(0, -front.args.length), ...rest.slice(0, 1), "--help"]);
    if (REFUSED[word] !== undefined) throw new RuntimeError(REFUSED[word]);
    const load = Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined;
    if (load === undefined) throw new RuntimeError(`No help topic for '${word}'`, 3);
    const command = (await load()).default;
    const flags = { ...command.flags, help: { short: "h" } };
    const given = readArguments(flags, rest, command.takesCommand !== true);
    if (given.has("help")) return (await import("./help.ts")).printCommandHelp(word, flags);
    const root = resolve(front.get("root") ?? defaultRoot());
    const code = await command.run({ root, log, systemd: front.has("systemd-cgroup") }, given);
    log.debug(`${word} ends with ${code}`);
    return code;
  } catch (error) {
    log.error(wordsOf(error));
    if (process.env.CAIS_DEBUG && error instanceof Error) log.error(String(error.stack));
    return error instanceof RuntimeError ? error.exitCode : 1;
  }
}

/** A user's own directory, where the caller is one; root of a user namespace may still be called root there (as with runc). */
function defaultRoot(): string {
  const { USER, XDG_RUNTIME_DIR } = process.env;
  const rights = ownRights();
  const own = rights === "user" || (rights === "namespace" && USER !== "root");
  return own && XDG_RUNTIME_DIR ? `${XDG_RUNTIME_DIR}/cais-runtime` : RUNTIME_ROOT;
}

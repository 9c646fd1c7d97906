import type { CommandModule } from "./command.ts";
import exec from "./commands/exec.ts";
import run from "./commands/run.ts";

type Load = () => Promise<CommandModule>;

/**
 * Where each command is. A command's file is loaded only when the command runs, which takes it half a millisecond:
 * those that people wait for most are there already.
 */
export const commands: Readonly<Record<string, Load>> = {
  attach: () => load(import("./commands/attach.ts")),
  build: () => load(import("./commands/build.ts")),
  commit: () => load(import("./commands/commit.ts")),
  cp: () => load(import("./commands/cp.ts")),
  create: () => load(import("./commands/create.ts")),
  diff: () => load(import("./commands/diff.ts")),
  events: () => load(import("./commands/events.ts")),
  exec: () => load({ default: exec }),
  explain: () => load(import("./commands/explain.ts")),
  export: () => load(import("./commands/export.ts")),
  history: () => load(import("./commands/history.ts")),
  images: () => load(import("./commands/images.ts")),
  import: () => load(import("./commands/import.ts")),
  info: () => load(import("./commands/info.ts")),
  inspect: () => load(import("./commands/inspect.ts")),
  kill: () => load(import("./commands/kill.ts")),
  load: () => load(import("./commands/load.ts")),
  logs: () => load(import("./commands/logs.ts")),
  pause: () => load(import("./commands/pause.ts")),
  port: () => load(import("./commands/port.ts")),
  ps: () => load(import("./commands/ps.ts")),
  pull: () => load(import("./commands/pull.ts")),
  reach: () => load(import("./commands/reach.ts")),
  rename: () => load(import("./commands/rename.ts")),
  restart: () => load(import("./commands/restart.ts")),
  rm: () => load(import("./commands/rm.ts")),
  rmi: () => load(import("./commands/rmi.ts")),
  run: () => load({ default: run }),
  save: () => load(import("./commands/save.ts")),
  script: () => load(import("./commands/script.ts")),
  serve: () => load(import("./commands/serve.ts")),
  start: () => load(import("./commands/start.ts")),
  stats: () => load(import("./commands/stats.ts")),
  stop: () => load(import("./commands/stop.ts")),
  tag: () => load(import("./commands/tag.ts")),
  top: () => load(import("./commands/top.ts")),
  unpause: () => load(import("./commands/unpause.ts")),
  update: () => load(import("./commands/update.ts")),
  version: () => load(import("./commands/version.ts")),
  wait: () => load(import("./commands/wait.ts")),
  "container inspect": () => load(import("./commands/container-inspect.ts")),
  "container prune": () => load(import("./commands/container-prune.ts")),
  "image inspect": () => load(import("./commands/image-inspect.ts")),
  "image prune": () => load(import("./commands/image-prune.ts")),
  "network connect": () => load(import("./commands/network-connect.ts")),
  "network create": () => load(import("./commands/network-create.ts")),
  "network disconnect": () => load(import("./commands/network-disconnect.ts")),
  "network inspect": () => load(import("./commands/network-inspect.ts")),
  "network ls": () => load(import("./commands/network-ls.ts")),
  "network path": () => load(import("./commands/network-path.ts")),
  "network prune": () => load(import("./commands/network-prune.ts")),
  "network rm": () => load(import("./commands/network-rm.ts")),
  "system df": () => load(import("./commands/system-df.ts")),
  "system prune": () => load(import("./commands/system-prune.ts")),
  "volume create": () => load(import("./commands/volume-create.ts")),
  "volume inspect": () => load(import("./commands/volume-inspect.ts")),
  "volume ls": () => load(import("./commands/volume-ls.ts")),
  "volume prune": () => load(import("./commands/volume-prune.ts")),
  "volume rm": () => load(import("./commands/volume-rm.ts")),
};

/** The two-word names, each told as a key of `commands`. */
export const groups: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  container: {
    ...same(
      "attach commit cp create diff exec export kill logs pause port rename restart rm run start stats stop top unpause update wait",
    ),
    inspect: "container inspect",
    ls: "ps",
    list: "ps",
    ps: "ps",
    prune: "container prune",
    remove: "rm",
  },
  image: {
    ...same("build history import load pull save tag"),
    inspect: "image inspect",
    ls: "images",
    list: "images",
    prune: "image prune",
    rm: "rmi",
    remove: "rmi",
  },
  network: {
    connect: "network connect",
    create: "network create",
    disconnect: "network disconnect",
    inspect: "network inspect",
    ls: "network ls",
    list: "network ls",
    path: "network path",
    prune: "network prune",
    rm: "network rm",
    remove: "network rm",
  },
  system: { ...same("events info"), df: "system df", prune: "system prune" },
  volume: {
    create: "volume create",
    inspect: "volume inspect",
    ls: "volume ls",
    list: "volume ls",
    prune: "volume prune",
    rm: "volume rm",
    remove: "volume rm",
  },
};

function same(names: string): Readonly<Record<string, string>> {
  return Object.fromEntries(names.split(" ").map((name) => [name, name]));
}

/** A command file exports its command with its own flags; the dispatcher does not need to know which. */
async function load(
  file: { readonly default: unknown } | Promise<{ readonly default: unknown }>,
): Promise<CommandModule> {
  return (await file) as CommandModule;
}

import { writeSync } from "node:fs";
import type { Flags } from "./arguments.ts";

/** What `--help` says: of the runtime, and of each of its commands. */

/** Command → its arguments and what it does. */
export const ABOUT: Readonly<Record<string, readonly [words: string, does: string]>> = {
  create: ["<container-id>", "make a container; its process waits for start"],
  delete: ["<container-id>", "remove what is left of a container that has ended"],
  events: ["<container-id>", "tell statistics and out-of-memory kills of a container"],
  exec: ["<container-id> [command …]", "run one more process in a container"],
  features: ["", "tell what this runtime can do, as JSON"],
  kill: ["<container-id> [signal]", "send a signal to a container, SIGTERM if none is named"],
  list: ["", "list the containers below the root"],
  pause: ["<container-id>", "freeze every process of a container"],
  ps: ["<container-id> [ps options]", "list the processes of a container"],
  resume: ["<container-id>", "let a paused container go on"],
  run: ["<container-id>", "create and start a container, and clear it away when it has ended"],
  spec: ["", "write a config.json to begin with"],
  start: ["<container-id>", "let a created container run its program"],
  state: ["<container-id>", "tell the state of a container, as JSON"],
  update: ["<container-id>", "change limits of a container"],
};

/** Flag → what it does; the same of every command that has it. */
export const FLAG_TEXTS: Readonly<Record<string, string>> = {
  "additional-gids": "one more group of the process",
  all: "every process of the container, not the first alone",
  apparmor: "AppArmor profile of the process",
  "blkio-weight": "share of the disks, 10 to 1000",
  bundle: "directory of the bundle, the current one if not given",
  cap: "one more capability of the process",
  cgroup: "cgroup below the container's to run in",
  "console-socket": "unix socket that gets the other side of the terminal",
  "cpu-burst": "microseconds that may be saved up beyond the quota",
  "cpu-idle": "1 to run only when nothing else does",
  "cpu-period": "microseconds of a period of the quota",
  "cpu-quota": "microseconds of processor time in each period",
  "cpu-rt-period": "microseconds of a period of real-time",
  "cpu-rt-runtime": "microseconds of real-time in each period",
  "cpu-share": "share of the processors beside other containers",
  "cpuset-cpus": "processors to use, like 0-3,7",
  "cpuset-mems": "memory nodes to use, like 0,1",
  criu: "not used: there is no checkpoint and restore",
  cwd: "working directory of the process",
  debug: "log what is done",
  detach: "do not wait for the end of the process",
  env: "one more variable of the environment, NAME=VALUE",
  force: "end it first if it runs; no error if there is none",
  format: "table or json",
  help: "show this",
  "ignore-paused": "run it even if the container is paused",
  interval: "time between two statistics, like 5s",
  keep: "do not clear the container away when it has ended",
  "kernel-memory": "ignored: the kernel no longer has this limit",
  "kernel-memory-tcp": "ignored: the kernel no longer has this limit",
  "l3-cache-schema": "refused: Intel RDT is not managed",
  log: "file for the log, standard error if not given",
  "log-format": "text or json",
  "mem-bw-schema": "refused: Intel RDT is not managed",
  memory: "bytes of memory, like 512m; -1 for no limit",
  "memory-reservation": "bytes of memory that are kept for it",
  "memory-swap": "bytes of memory and swap together; -1 for no limit",
  "no-new-keyring": "share the session keyring of the caller",
  "no-new-privs": "let no program of it gain privileges",
  "no-pivot": "refused: a container could break out of its root",
  "no-subreaper": "ignored: orphans are the caller's in any case",
  "pid-file": "file that gets the pid of the process",
  "pids-limit": "number of processes and threads; -1 for no limit",
  "preserve-fds": "number of descriptors after 0, 1 and 2 that the process inherits",
  process: "file with the process as JSON",
  "process-label": "SELinux label of the process",
  quiet: "ids alone",
  resources: "file with the limits as JSON, - for standard input",
  root: "directory for the state of containers",
  rootless: "what a user without privileges needs: spec writes such a configuration",
  stats: "tell the statistics once",
  "systemd-cgroup": "have systemd make the cgroups: cgroupsPath is slice:prefix:name",
  tty: "give the process a terminal",
  user: "user of the process, UID[:GID]",
  version: "show the version",
};

/** The runtime's own help. */
export function printHelp(global: Flags): number {
  const commands = Object.entries(ABOUT).map(([name, [, does]]) => `   ${name.padEnd(10)} ${does}\n`);
  return print(
    `NAME:
   cais-runtime - an Open Container Initiative runtime

USAGE:
   cais-runtime [global options] command [command options] [arguments]

COMMANDS:
${commands.join("")}
GLOBAL OPTIONS:
${options(global)}`,
  );
}

/** The help of one command. */
export function printCommandHelp(name: string, flags: Flags): number {
  const [words = "", does = ""] = ABOUT[name] ?? [];
  return print(
    `NAME:
   cais-runtime ${name} - ${does}

USAGE:
   cais-runtime ${`${name} [command options] ${words}`.trim()}

OPTIONS:
${options(flags)}`,
  );
}

function options(flags: Flags): string {
  const lines = Object.entries(flags).map(([name, { short, value }]) => {
    const takes = value === undefined ? "" : " value";
    const words = [`--${name}${takes}`, ...(short === undefined ? [] : [`-${short}${takes}`])].join(", ");
    return [words, FLAG_TEXTS[name] ?? ""] as const;
  });
  const width = Math.max(...lines.map(([words]) => words.length));
  return lines.map(([words, text]) => `   ${words.padEnd(width)}  ${text}\n`).join("");
}

function print(text: string): number {
  writeSync(1, text);
  return 0;
}

import { flags, PR, S, SIG, SOCKET } from "../../kernel/flags.ts";
import { RLIMITS } from "../../kernel/rlimits.ts";
import type { Process } from "../../oci/runtime/spec.ts";
import { call, close, from, mem, num, space, str, struct, u64 } from "../../plan/build.ts";
import { type Slot, type Step, SYNC } from "../../plan/step.ts";
import { CALLER_FILES } from "../../wire/runtime.ts";
import type { Custody } from "./custody.ts";
import { endWith } from "./custody.ts";
import { bindConsole } from "./devices.ts";
import { HERE, open } from "./files.ts";
import { openOfChild } from "./namespaces.ts";
import {
  makeRaw,
  openTerminal,
  ownerOf,
  ownSession,
  plainLines,
  TERMIOS,
  takeTerminal,
  terminalStreams,
} from "./streams.ts";
import { candidates, closeOnExec } from "./workload.ts";

/**
 * A process that belongs to whoever called, as a runtime of the OCI specification makes it: it has the caller's
 * streams, nobody of ours stays beside it, and the kernel gives it to the nearest subreaper (prctl(2),
 * PR_SET_CHILD_SUBREAPER) when the launch program has ended.
 */

/** The caller's part of the facts that a plan is made from. */
export interface CallerFacts {
  readonly directory: string;
  /** Stop before the workload until `start` says so. */
  readonly waits: boolean;
  /** Stay until the process has ended, forward signals to it, and end as it ended. */
  readonly stays: boolean;
  /** Descriptors from 3 on that the process keeps. */
  readonly preserve: number;
  /** Those of 0, 1 and 2 whose files are to belong to the process's user. */
  readonly owned: readonly number[];
  /** The caller's limit of open files, which the runtime that builds this plan has raised for itself. */
  readonly openFiles?: { readonly soft: number; readonly hard: number };
  /** Socket that the terminal's master is sent to. */
  readonly consoleSocket?: string;
  /** Without it the launch program carries a terminal's bytes itself; a descriptor of the caller's that is one. */
  readonly callersTerminal?: number;
  readonly pidFile?: string;
  /** A process that holds the cgroup until the container's is in it. */
  readonly holder?: number;
}

const REPORT: Slot = "report";
const CONSOLE: Slot = "console-socket";
/** The slot that tells failures of the program's own steps. */
export const FAILURES = REPORT;

/** The caller gets the process; the launch program ends. */
export function leftToCaller(facts: CallerFacts, process: Process): Custody {
  const file = (name: keyof typeof CALLER_FILES) => `${facts.directory}/${CALLER_FILES[name]}`;
  const carries = process.terminal === true && facts.consoleSocket === undefined;
  const callers = carries ? facts.callersTerminal : undefined;
  const orphan = call(
    "prctl",
    [num(PR.SET_PDEATHSIG, "PR_SET_PDEATHSIG"), num(0)],
    "outlive the launch program from here on",
  );
  return {
    begin: [
      open(file("report"), REPORT, { why: "tell which step failed" }, ["WRONLY", "CREAT", "TRUNC"]),
      ...(facts.waits ? startFifos(file("start"), file("reply")) : []),
      ...(facts.consoleSocket === undefined ? [] : connectConsole(facts.consoleSocket)),
      // In a group of its own it could not read from the caller's terminal.
      ...(facts.stays ? signalsAsBytes(callers !== undefined) : []),
      ...(callers === undefined ? [] : makeRaw(callers)),
    ],
    forget: [
      ...[REPORT, "signals", "cgroup"].map((slot) => close(slot, "leave it to the creator")),
      endWith("creator"),
    ],
    streams: ({ consoleSize, terminal, user }, console) =>
      terminal
        ? [
            ...(carries
              ? [...openTerminal(consoleSize), ...plainLines()]
              : [...openTerminal(consoleSize, CONSOLE), close(CONSOLE, "close it")]),
            ...(console ? bindConsole("terminal") : []),
            ...terminalStreams(user.uid),
          ]
        : facts.owned.map((descriptor) => ownerOf(num(descriptor), user.uid)),
    wait: [
      ...openFileLimit(facts, process),
      ...ownSession(process.terminal === true),
      { kind: "lookup", candidates: candidates(process), why: `find ${process.args?.[0] ?? "nothing"}` },
      orphan,
      ...(facts.waits ? waitForOrder() : []),
    ],
    waits: facts.waits,
    closing: closeOnExec(facts.preserve),
    dies: false,
    parted: [
      ...noteProcess(file("process")),
      ...(facts.holder === undefined ? [] : [release(facts.holder)]),
      ...(facts.consoleSocket === undefined ? [] : [close(CONSOLE, "leave it to the container")]),
    ],
    finish: (before, poststart) => [
      ...(carries ? takeTerminal() : []),
      ...before,
      facts.waits
        ? { kind: "receive", why: "wait until the container is ready to start" }
        : { kind: "awaitExec", why: "wait until the workload runs" },
      ...(facts.pidFile === undefined ? [] : writePid(facts.pidFile)),
      ...(facts.waits ? [] : poststart),
      ...(facts.stays
        ? [
            {
              kind: "escort" as const,
              child: "child",
              signals: "signals",
              ...(carries
                ? {
                    terminal: {
                      master: "master",
                      ...(callers === undefined ? {} : { callers: { descriptor: callers, before: TERMIOS } }),
                    },
                  }
                : {}),
              why: "wait for the end of the process; forward signals to it",
            },
          ]
        : []),
    ],
  };
}

/** systemd ends a scope that is empty; from here on there is the container in it. */
function release(holder: number): Step {
  const signal = num(9, "SIGKILL");
  return call("kill", [num(holder), signal], "end what has held the cgroup", { tolerate: ["ESRCH"] });
}

/** The process holds both ends of the first, so that nobody who looks at it makes it read an end. */
function startFifos(start: string, reply: string): Step[] {
  const order = "let the container wait for its order to start";
  const answer = "let whoever starts the container learn whether its workload runs";
  const fifo = (path: string, why: string) =>
    call("mknodat", [HERE, str(path), num(S.IFIFO | 0o600, "S_IFIFO|0600"), num(0)], why);
  return [
    fifo(start, order),
    open(start, "start", { why: order }, ["RDWR"]),
    fifo(reply, answer),
    // Opening to write only would wait for a reader (fifo(7)).
    open(reply, "reply-both", { why: answer }, ["RDWR"]),
    open(reply, "reply", { why: answer }, ["WRONLY"]),
    close("reply-both", "close it"),
  ];
}

/**
 * In the child: say that all is made, then wait for one byte. From here on a failed step is told to whoever
 * started it: the FIFO takes the number of the socket to the creator, which has gone.
 */
function waitForOrder(): Step[] {
  const ready = struct([u64(0, 0, 0)]);
  return [
    call("write", [from(SYNC), mem(ready, "ready"), num(24)], "say that the container is created"),
    call("dup3", [from("reply"), from(SYNC), num(0x80000, "O_CLOEXEC")], "tell failures to who starts it"),
    close("reply", "close it"),
    call("read", [from("start"), mem(space(8, "order")), num(1)], "wait for the order to start"),
    close("start", "close it"),
  ];
}

/** `struct sockaddr_un`: 16 bits of family, 108 of path (unix(7)). */
function connectConsole(path: string): Step[] {
  const bytes = new TextEncoder().encode(path);
  const why = "reach the console socket";
  const address = new Uint8Array(110);
  new DataView(address.buffer).setUint16(0, SOCKET.AF_UNIX, true);
  address.set(bytes, 2);
  const type = num(SOCKET.STREAM | SOCKET.CLOEXEC, "SOCK_STREAM|SOCK_CLOEXEC");
  return [
    call("socket", [num(SOCKET.AF_UNIX, "AF_UNIX"), type, num(0)], why, { result: CONSOLE }),
    call(
      "connect",
      [from(CONSOLE), mem({ kind: "bytes", bytes: address }, path), num(bytes.length + 3)],
      why,
    ),
  ];
}

/** A group of its own: what the terminal sends to the caller's, the caller forwards. */
function signalsAsBytes(sameGroup: boolean): Step[] {
  const all = struct([u64(-1)]);
  const why = "read signals, to forward them";
  const how = flags("SFD", { CLOEXEC: 0x80000 }, "CLOEXEC");
  return [
    ...(sameGroup
      ? []
      : [call("setpgid", [num(0), num(0)], "get signals from the caller only", { tolerate: ["EPERM"] })]),
    call("rt_sigprocmask", [num(SIG.SETMASK, "SIG_SETMASK"), mem(all, "all"), num(0), num(8)], why),
    call("signalfd4", [num(-1), mem(all, "all"), num(8), num(how.value, how.text)], why, {
      result: "signals",
    }),
  ];
}

/** While it cannot be reaped by anyone else: a pid with its start time is never reused. */
function noteProcess(path: string): Step[] {
  const reason = { why: "note which process the container is (pid and start time)" };
  const text = space(1024, "process-stat");
  return [
    ...openOfChild("stat", "file", "RDONLY", reason),
    call("read", [from("file"), mem(text), num(1024)], reason, { result: "length" }),
    close("file", "close it"),
    open(path, "file", reason, ["WRONLY", "CREAT", "TRUNC"]),
    call("write", [from("file"), mem(text), from("length")], reason),
    close("file", "close it"),
  ];
}

/** Whole or not at all: written beside and renamed. */
function writePid(path: string): Step[] {
  const slash = path.lastIndexOf("/");
  const beside = `${path.slice(0, slash + 1)}.${path.slice(slash + 1)}`;
  const reason = { why: "write the pid file" };
  const text = space(32, "pid-text");
  return [
    { kind: "decimal", slot: "child", into: text, prefix: "", suffix: "", length: "length", ...reason },
    // Where others may write too, somebody could have put a link there.
    call("unlinkat", [HERE, str(beside), num(0)], reason, { tolerate: ["ENOENT"] }),
    open(beside, "file", reason, ["WRONLY", "CREAT", "EXCL"]),
    call("write", [from("file"), mem(text), from("length")], reason),
    close("file", "close it"),
    call("renameat", [HERE, str(beside), HERE, str(path)], reason),
  ];
}

function openFileLimit({ openFiles }: CallerFacts, process: Process): Step[] {
  if (openFiles === undefined || process.rlimits?.some(({ type }) => type === "RLIMIT_NOFILE")) return [];
  const value = struct([u64(openFiles.soft, openFiles.hard)]);
  return [
    call(
      "prlimit64",
      [num(0), num(RLIMITS.RLIMIT_NOFILE, "RLIMIT_NOFILE"), mem(value, `${openFiles.soft}`), num(0)],
      "have the caller's limit of open files",
    ),
  ];
}

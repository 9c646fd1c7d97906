import { flags, O, PR, S, SFD, SIG, SOCKET } from "../../kernel/flags.ts";
import { type SignalName, signalSet } from "../../kernel/signals.ts";
import { call, close, from, mem, num, space, str, struct, u64 } from "../../plan/build.ts";
import { type Call, type Keeper, type KeeperStdio, type Step, SYNC, SYNC_PARENT } from "../../plan/step.ts";
import { HERE, open } from "./files.ts";

/** What the keeper sets up for itself before there is a container. */

/** Files of a run directory; see ARCHITECTURE.md. */
export const RUN_FILES = {
  keeper: "keeper",
  control: "control",
  stdin: "stdin",
  stdout: "stdout.spool",
  stderr: "stderr.spool",
  exit: "exit",
  alive: "alive",
  trace: "trace",
} as const;

/** Beside the run directory: what the engine noted before the start. */
export const notePath = (runDir: string): string => `${runDir}.json`;
/** The same before the launch program has claimed the start by giving the note its name. */
export const unclaimedNotePath = (runDir: string): string => `${runDir}.unclaimed`;

const maskOf = (...names: SignalName[]) => struct([u64(signalSet(names))]);
const NO_SIGNALS = struct([u64(0)]);

/** Own session, own name, orphans come here; exits arrive as readable bytes, a gone reader is no signal. */
export function session(runDir: string, reportsPath: string): Step[] {
  const blocked = maskOf("SIGCHLD", "SIGPIPE");
  const signalFlags = flags("SFD", SFD, "CLOEXEC", "NONBLOCK");
  return [
    open(reportsPath, "reports", { why: "reach the engine" }, ["WRONLY", "NONBLOCK"]),
    call(
      "renameat2",
      [HERE, str(unclaimedNotePath(runDir)), HERE, str(notePath(runDir)), num(0)],
      "claim the start: an engine that comes after a crash has not given it up",
    ),
    call("setpgid", [num(0), num(0)], "be out of reach of a Ctrl-C for the engine", { tolerate: ["EPERM"] }),
    call(
      "prctl",
      [num(PR.SET_CHILD_SUBREAPER, "PR_SET_CHILD_SUBREAPER"), num(1)],
      "reap the container's orphans",
    ),
    call("prctl", [num(PR.SET_NAME, "PR_SET_NAME"), str("cais-keeper")], "be known in process lists"),
    call(
      "rt_sigprocmask",
      [num(SIG.SETMASK, "SIG_SETMASK"), mem(blocked, "SIGCHLD|SIGPIPE"), num(0), num(8)],
      "read exits instead of being interrupted by them",
    ),
    call(
      "signalfd4",
      [num(-1), mem(maskOf("SIGCHLD"), "SIGCHLD"), num(8), num(signalFlags.value, signalFlags.text)],
      "read exits instead of being interrupted by them",
      { result: "signals" },
    ),
  ];
}

/** In the child: signals as a fresh process has them. */
export function defaultSignals(): Call {
  return call(
    "rt_sigprocmask",
    [num(SIG.SETMASK, "SIG_SETMASK"), mem(NO_SIGNALS, "none"), num(0), num(8)],
    "start with no signal blocked",
  );
}

/**
 * In the child: the keeper's own descriptors are not for it, not even until `execve` closes them. A working
 * directory may be `/proc/self/fd/7`: no directory of the host may be open by then.
 */
export function forgetKeeper(): Step[] {
  return ["reports", "control", "signals", "cgroup", "oom"].map((slot) =>
    close(slot, "leave it to the keeper"),
  );
}

/** The run directory with the keeper's identity and its control FIFO. */
export function runDirectory(runDir: string): Step[] {
  const stat = space(1024, "keeper-stat");
  const identity = { why: "note which process keeps this container (pid and start time)" };
  return [
    call("mkdirat", [HERE, str(runDir), num(0o700, "0700")], "make the run directory", {
      undo: [remove(runDir, 0x200)],
    }),
    open("/proc/self/stat", "file", identity, ["RDONLY"]),
    call("read", [from("file"), mem(stat), num(1024)], identity, { result: "length" }),
    close("file", "close it"),
    open(`${runDir}/${RUN_FILES.keeper}`, "file", identity, ["WRONLY", "CREAT", "EXCL"], {
      undo: [remove(`${runDir}/${RUN_FILES.keeper}`)],
    }),
    call("write", [from("file"), mem(stat), from("length")], identity),
    close("file", "close it"),
    ...fifo(`${runDir}/${RUN_FILES.control}`, "take orders from the engine"),
    open(`${runDir}/${RUN_FILES.control}`, "control", { why: "take orders from the engine" }, [
      "RDWR",
      "NONBLOCK",
    ]),
  ];
}

function remove(path: string, how = 0): Call {
  return call("unlinkat", [HERE, str(path), num(how, how === 0 ? "0" : "AT_REMOVEDIR")], "remove it", {
    tolerate: ["ENOENT"],
  });
}

function fifo(path: string, why: string): Step[] {
  return [
    call("mknodat", [HERE, str(path), num(S.IFIFO | 0o600, "S_IFIFO|0600"), num(0)], why, {
      undo: [remove(path)],
    }),
  ];
}

/** How the workload's standard streams are wired, and what the keeper holds of them. */
export interface StdioPlan {
  readonly steps: readonly Step[];
  readonly keeper: KeeperStdio;
  /** Slots that only the child uses; the keeper closes them after the clone. */
  readonly childOnly: readonly string[];
}

/** A FIFO for stdin, pipes for stdout and stderr; with a terminal that one instead of the pipes. */
export function stdio(runDir: string, terminal: boolean, stdin: boolean): StdioPlan {
  const input = stdin ? inputFifo(`${runDir}/${RUN_FILES.stdin}`, terminal) : [];
  if (terminal) {
    const output = { source: "master", spool: `${runDir}/${RUN_FILES.stdout}` };
    return {
      steps: input,
      keeper: { kind: "terminal", output, ...(stdin ? { stdin: "stdin-reader" } : {}) },
      childOnly: [],
    };
  }
  const spooled = (name: "stdout" | "stderr") => ({
    source: `${name}-reader`,
    spool: `${runDir}/${RUN_FILES[name]}`,
  });
  return {
    steps: [...input, ...outputPipe("stdout"), ...outputPipe("stderr")],
    keeper: {
      kind: "pipes",
      outputs: [spooled("stdout"), spooled("stderr")],
      ...(stdin ? { stdin: "stdin-writer" } : {}),
    },
    childOnly: [...(stdin ? ["stdin-reader"] : []), "stdout-writer", "stderr-writer"],
  };
}

/** Held open at both ends, so that input neither ends nor breaks while no engine is there. */
function inputFifo(path: string, terminal: boolean): Step[] {
  const why = "keep standard input open while the engine restarts";
  return [
    ...fifo(path, why),
    open(path, "stdin-reader", { why }, ["RDONLY", "NONBLOCK"]),
    open(path, "stdin-writer", { why }, ["WRONLY"]),
    ...(terminal
      ? []
      : [
          call(
            "fcntl",
            [from("stdin-reader"), num(4, "F_SETFL"), num(0)],
            "let the container wait for input",
          ),
        ]),
  ];
}

/** The keeper moves what comes out of it to a file. */
function outputPipe(name: "stdout" | "stderr"): Step[] {
  const why = "keep what the container writes until the engine has it";
  const ends = space(8, `${name}-pipe`);
  const { text, value } = flags("O", O, "CLOEXEC");
  return [
    call("pipe2", [mem(ends), num(value, text)], why),
    { kind: "load", from: ends, offset: 0, size: 4, into: `${name}-reader`, why },
    { kind: "load", from: ends, offset: 4, size: 4, into: `${name}-writer`, why },
  ];
}

/** The socket between keeper and child: it closes on `execve`, which is how the keeper learns of it. */
export function syncSocket(): Step[] {
  const pair = space(8, "sync-pair");
  const why = "learn when the workload runs, or which step failed";
  const type = flags("SOCK", SOCKET, "SEQPACKET", "CLOEXEC");
  return [
    call("socketpair", [num(SOCKET.AF_UNIX, "AF_UNIX"), num(type.value, type.text), num(0), mem(pair)], why),
    { kind: "load", from: pair, offset: 0, size: 4, into: SYNC_PARENT, why },
    { kind: "load", from: pair, offset: 4, size: 4, into: SYNC, why },
  ];
}

/** Give up every capability but the one to signal processes of other users (capabilities(7)). */
export function dropKeeperPrivileges(dropAll: Step): Step[] {
  return [
    call("chdir", [str("/")], "hold no directory"),
    // Else root of a container that sees it could: it has these capabilities too (`ptrace_may_access` in kernel/ptrace.c).
    call(
      "prctl",
      [num(PR.SET_DUMPABLE, "PR_SET_DUMPABLE"), num(0)],
      "let nobody with as few rights get at its memory, or at the machine's files through it",
    ),
    dropAll,
  ];
}

/** The last step of a keeper. */
export function keep(
  runDir: string,
  token: Uint8Array,
  stdio: KeeperStdio,
  holds: { readonly oom: boolean; readonly mounts: boolean },
): Step {
  const keeper: Keeper = {
    child: "child",
    signals: "signals",
    control: "control",
    reports: "reports",
    exit: `${runDir}/${RUN_FILES.exit}`,
    alive: `${runDir}/${RUN_FILES.alive}`,
    remove: (["exit", "stdout", "stderr", "alive"] as const).map((name) => `${runDir}/${RUN_FILES[name]}`),
    token,
    stdio,
    ...(holds.oom ? { oom: "oom" } : {}),
    ...(holds.mounts ? { mounts: "mounts" } : {}),
  };
  return { kind: "keep", keeper, why: "stay with the container: reap it, report its end, hold its streams" };
}

import type { SyscallName } from "../kernel/arch.ts";
import type { ErrnoName } from "../kernel/errno.ts";
import type { Protocol, Request } from "../kernel/netlink/message.ts";

/**
 * A plan is what must happen, as data: frozen steps, one per kernel call. `compile` turns it into a program,
 * `explain` into words, `script` into shell. Nothing else in cais reaches a call that Node lacks.
 */

/** A 64-bit variable of the launch program, named; it holds what a call returned or wrote. Starts as -1. */
export type Slot = string & { readonly __slot?: never };

/** Memory of the launch program: bytes, and pointers to other memory, laid out one after the other. */
export type Data =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  /** NUL-terminated UTF-8. */
  | { readonly kind: "text"; readonly text: string }
  /** `size` zero bytes that calls may write to. Memory with the same `name` is the same memory. */
  | { readonly kind: "space"; readonly size: number; readonly name?: string }
  /** Fields of a struct, each padded by its maker; a pointer takes 8 bytes, so does a slot's address. */
  | { readonly kind: "struct"; readonly fields: readonly Field[]; readonly name?: string };

export type Field = Uint8Array | { readonly pointer: Data | { readonly slot: Slot } };

/** One argument of a call. `text` is how people write the value (`"MS_NOSUID|MS_NODEV"`). */
export type Arg =
  | { readonly kind: "number"; readonly value: number | bigint; readonly text?: string }
  | { readonly kind: "slot"; readonly slot: Slot }
  | { readonly kind: "slotAddress"; readonly slot: Slot }
  | { readonly kind: "data"; readonly data: Data; readonly text?: string };

/** Why a step is there, for people. */
export interface Reason {
  /** One clause without a full stop: "give the container its own /proc". */
  readonly why: string;
  /** The option that caused it, as typed: "--memory 48m". Absent where every container has the step. */
  readonly option?: string;
  /** What a person can do when it fails; wins over the general hint for the errno. */
  readonly hint?: string;
}

/** One kernel call. */
export interface Call extends Reason {
  readonly kind: "call";
  readonly call: SyscallName;
  readonly args: readonly Arg[];
  /** Where the result goes (a descriptor, a pid, a length). */
  readonly result?: Slot;
  /** These errors are no failure: the plan goes on with the next step. */
  readonly tolerate?: readonly ErrnoName[];
  /** Made again, some hundred times, as long as it fails with EAGAIN: somebody else was at it just then. */
  readonly retry?: true;
  /** Calls that take it back, run when a later step fails; they must do no harm if run twice. */
  readonly undo?: readonly Call[];
}

/** Steps that belong together: when the first call fails with a tolerated error, `otherwise` is done, not the rest. */
export interface Attempt extends Reason {
  readonly kind: "attempt";
  readonly tolerate: readonly ErrnoName[];
  readonly steps: readonly Step[];
  readonly otherwise?: readonly Step[];
}

/**
 * A child process (`clone3`). Its steps run in the child, the plan goes on in the parent; `pid` gets the
 * child's pid. The child has a socket to the parent (slot `SYNC`, the parent's end is `SYNC_PARENT`) that
 * closes on `execve`: a failed step of the child is reported over it.
 */
export interface Clone extends Reason {
  readonly kind: "clone";
  /** `CLONE_NEW*` and friends; the exit signal SIGCHLD is added. */
  readonly flags: bigint;
  readonly flagsText: string;
  /** A descriptor of a cgroup v2 directory for the child to be born in. */
  readonly cgroup?: Slot;
  readonly pid: Slot;
  readonly child: readonly Step[];
  /** Steps of a helper process that makes the child where the keeper does not go: it enters namespaces. */
  readonly via?: readonly Step[];
  /** Calls that take back what is made beside the child, by steps after this one: run when the child is gone. */
  readonly undo?: readonly Call[];
}

/**
 * Hold a number that a call wrote into memory, divided by `per`, against a value: the step fails with `errno` unless it
 * is (`eq`) or is not (`ne`) that.
 */
export interface Expect extends Reason {
  readonly kind: "expect";
  readonly from: Data;
  readonly offset: number;
  readonly size: 1 | 2 | 4 | 8;
  readonly per?: number;
  readonly is: "eq" | "ne";
  readonly value: number;
  readonly errno: ErrnoName;
}

/** A user namespace that nobody is in, for idmapped mounts; lines as `/proc/<pid>/uid_map` takes them. */
export interface UserMap extends Reason {
  readonly kind: "userMap";
  readonly uids: string;
  readonly gids: string;
  readonly into: Slot;
}

/** In the parent: wait until the child has executed its program; take over its failure if it has not. */
export interface AwaitExec extends Reason {
  readonly kind: "awaitExec";
}

/** Fail as `execve` would where none of `candidates` is a file that may be executed: before its time comes. */
export interface Lookup extends Reason {
  readonly kind: "lookup";
  readonly candidates: readonly string[];
}

/**
 * Receive a descriptor that the other end of the socket sends (unix(7), `SCM_RIGHTS`), or, without `into`, only its
 * word that it has got this far.
 */
export interface Receive extends Reason {
  readonly kind: "receive";
  readonly into?: Slot;
}

/**
 * A program that runs to its end before the plan goes on: a hook of the runtime specification. What it ends with
 * other than 0 is a failure of the step, as a number beyond the kernel's errors (`HOOK_STATUS` in records.ts).
 */
export interface Hook extends Reason {
  readonly kind: "hook";
  /** What it is called in errors: "createRuntime hook #0". */
  readonly name: string;
  readonly path: string;
  readonly argv: readonly string[];
  readonly env: readonly string[];
  /** Seconds after which it is killed, and the step fails with ETIMEDOUT. */
  readonly timeout?: number;
  /** Its standard input: the decimal of `pid` between two texts. */
  readonly input: { readonly before: string; readonly pid: Slot; readonly after: string };
  /** What its process does before it becomes the program: where it stands, what it may. */
  readonly prepare: readonly Step[];
  /** A descriptor for its output; without one it writes where this process writes. */
  readonly output?: Slot;
}

/** `execve` of the first of `candidates` that exists, as `execvp` does it. The last step of a child. */
export interface Exec extends Reason {
  readonly kind: "exec";
  readonly candidates: readonly string[];
  readonly argv: readonly string[];
  readonly env: readonly string[];
}

/** Write `prefix`, the decimal of a slot and `suffix` into memory, for paths such as `/proc/<pid>/uid_map`. */
export interface Decimal extends Reason {
  readonly kind: "decimal";
  readonly slot: Slot;
  readonly into: Extract<Data, { kind: "space" }>;
  readonly prefix: string;
  readonly suffix: string;
  /** Gets the number of bytes, without the NUL that follows them. */
  readonly length?: Slot;
}

/** Copy a value that a call wrote into memory (one of the descriptors of a socket pair) into a slot. */
export interface Load extends Reason {
  readonly kind: "load";
  readonly from: Data;
  readonly offset: number;
  readonly size: 4 | 8;
  readonly into: Slot;
}

/** Copy a slot into memory: a descriptor into a struct that a call takes. */
export interface Store extends Reason {
  readonly kind: "store";
  readonly slot: Slot;
  readonly to: Data;
  readonly offset: number;
  readonly size: 4 | 8;
}

/**
 * Requests that go to the kernel in one batch (netlink(7)); each is a step with a number of its own, and the first
 * that is refused fails with its errno. Slots that their messages name are read when the batch is sent.
 */
export interface Netlink {
  readonly kind: "netlink";
  /** A netlink socket of `protocol`, in whose network namespace things happen. */
  readonly socket: Slot;
  readonly protocol: Protocol;
  /** At least one. */
  readonly messages: readonly NetlinkMessage[];
  /** Name of the batch in a compiled program's `fill`. */
  readonly name?: string;
}

export interface NetlinkMessage extends Reason {
  readonly kind: "message";
  readonly request: Request;
  /** What a person can do, by the refusal; before `hint`. */
  readonly hints?: Readonly<Partial<Record<ErrnoName, string>>>;
  /** Refusals that are no failure. */
  readonly tolerate?: readonly ErrnoName[];
}

/** Ask the kernel to list things: all of its answers are written to descriptor 1, as they are. */
export interface NetlinkDump extends Reason {
  readonly kind: "dump";
  readonly socket: Slot;
  readonly request: Request;
}

/** Become pid 1 of the container (`--init`): forward signals to `child`, reap, end as it ended. */
export interface Init extends Reason {
  readonly kind: "init";
  readonly child: Slot;
  /** signalfd of every signal, blocking. */
  readonly signals: Slot;
}

/**
 * Pass messages on: read them from descriptor 0, each after its length (4 bytes, little-endian), send each as one
 * datagram to `address`, and write what `sendto` returned (8 bytes) to descriptor 1. Ends with the input.
 */
export interface Relay extends Reason {
  readonly kind: "relay";
  readonly socket: Slot;
  /** struct sockaddr; sent to anew each time, so that a receiver may be restarted. */
  readonly address: Data;
  readonly addressLength: number;
  /** Longest message. */
  readonly size: number;
}

/** Stay until `child` has ended, forward signals to it, and end as it ended. The last step of a parent. */
export interface Escort extends Reason {
  readonly kind: "escort";
  readonly child: Slot;
  /** signalfd of every signal, blocking. */
  readonly signals: Slot;
  /** Its terminal, whose other side are descriptors 0 and 1. */
  readonly terminal?: Terminal;
}

/** A pseudoterminal that is carried to and from the caller's streams. */
export interface Terminal {
  /** Non-blocking. */
  readonly master: Slot;
  /** A descriptor that is the caller's own terminal: it says how large this one is, and is put back in the end. */
  readonly callers?: { readonly descriptor: number; readonly before: Data };
}

/** Become the keeper: stay until the child has ended and its output is safe. The last step of a parent. */
export interface Keep extends Reason {
  readonly kind: "keep";
  readonly keeper: Keeper;
}

/** What a keeper watches and holds. Every slot is a descriptor that an earlier step opened. */
export interface Keeper {
  readonly child: Slot;
  /** signalfd of SIGCHLD, non-blocking. */
  readonly signals: Slot;
  /** FIFO on which the engine sends control records. */
  readonly control: Slot;
  /** The engine's report FIFO; `POLLERR` on it means that no engine listens. */
  readonly reports: Slot;
  /** File that receives the exit record; made when there is one. */
  readonly exit: string;
  /** FIFO that is held open, and made, once an engine asks for it: its end is the keeper's. */
  readonly alive: string;
  /** Files that go on release, before the undos of the steps before the clone run. */
  readonly remove: readonly string[];
  /** 16 bytes that name this start in every record. */
  readonly token: Uint8Array;
  readonly stdio: KeeperStdio;
  /** Read into the exit record when the child has ended: the kernel's count of OOM kills. */
  readonly oom?: Slot;
  /** The child's mount namespace, held until release: see `holdMounts` in src/container/launch/custody.ts. */
  readonly mounts?: Slot;
}

/** An output of the workload, which the keeper moves to the end of a file: see SPOOL in src/plan/records.ts. */
export interface SpooledOutput {
  /** Read end of the pipe, or the master of the terminal, non-blocking. -1 once nobody can write any more. */
  readonly source: Slot;
  /** The file; made when there is something to put into it. */
  readonly spool: string;
}

export type KeeperStdio =
  | {
      readonly kind: "pipes";
      /** Write end of the stdin FIFO, if there is one: closed on a "close stdin" record. */
      readonly stdin?: Slot;
      /** Of stdout and stderr, in this order. */
      readonly outputs: readonly [SpooledOutput, SpooledOutput];
    }
  | {
      readonly kind: "terminal";
      /** Read end of the stdin FIFO, non-blocking. The keeper pumps from it to the terminal. */
      readonly stdin?: Slot;
      readonly output: SpooledOutput;
    };

export type Step =
  | Call
  | Attempt
  | Clone
  | UserMap
  | Expect
  | AwaitExec
  | Lookup
  | Receive
  | Exec
  | Netlink
  | NetlinkDump
  | Hook
  | Decimal
  | Load
  | Store
  | Init
  | Relay
  | Escort
  | Keep;

/** What has a number of its own in records: a message of a batch has, the batch has not. */
export type Numbered = Exclude<Step, Netlink> | NetlinkMessage;

/** What a launch program does, from its first call to its last. */
export interface Plan {
  readonly steps: readonly Step[];
  /** Without a keeper: the descriptor that is told which step failed (two 64-bit numbers: step, error); 2 where it is absent. */
  readonly failures?: Slot;
}

/** The child's end of the socket between a cloned child and its parent. */
export const SYNC: Slot = "sync";
/** The parent's end of it. */
export const SYNC_PARENT: Slot = "sync-parent";

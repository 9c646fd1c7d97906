import type { Arch } from "../../kernel/arch.ts";
import { ERRNO } from "../../kernel/errno.ts";
import { flags, SECCOMP, SOCKET } from "../../kernel/flags.ts";
import { compile } from "../../kernel/seccomp/compile.ts";
import { notifies } from "../../oci/runtime/read-seccomp.ts";
import type { Seccomp } from "../../oci/runtime/seccomp.ts";
import type { RuntimeSpec } from "../../oci/runtime/spec.ts";
import { call, close, from, mem, num, space, struct, u32, u64 } from "../../plan/build.ts";
import { sendDescriptor } from "../../plan/descriptor.ts";
import { type Data, type Step, SYNC } from "../../plan/step.ts";
import { type Bundle, stateJson } from "./hooks.ts";
import type { Because } from "./reasons.ts";

/** System call filters, and the listeners that some calls are handed to (seccomp(2), seccomp_unotify(2)). */

type Flag = Exclude<keyof typeof SECCOMP, "SET_MODE_FILTER">;

/** The configuration's flags; those of a listener only with one. */
function flagsOf(policy: Seccomp): { readonly value: number; readonly text: string } {
  const listener = notifies(policy);
  const asked = (name: string) => policy.flags?.includes(`SECCOMP_FILTER_${name}`) === true;
  const names: Flag[] = [];
  for (const name of ["FLAG_TSYNC", "FLAG_LOG", "FLAG_SPEC_ALLOW"] as const)
    if (asked(name)) names.push(name);
  if (listener) {
    names.push("FLAG_NEW_LISTENER");
    // The call has one result only: the listener, or which thread could not follow.
    if (asked("FLAG_TSYNC")) names.push("FLAG_TSYNC_ESRCH");
    if (asked("FLAG_WAIT_KILLABLE_RECV")) names.push("FLAG_WAIT_KILLABLE_RECV");
  }
  return flags("SECCOMP_FILTER", SECCOMP, ...names);
}

/**
 * seccomp(2) with the policy compiled to BPF; `struct sock_fprog` is a length and a pointer. With a listener its
 * descriptor goes to the keeper at once, which passes it on.
 */
export function seccompFilter(policy: Seccomp, arch: Arch, because: Because): Step[] {
  const filter = compile(policy, arch);
  const program = struct([u64(filter.length / 8), { pointer: { kind: "bytes", bytes: filter } }]);
  const how = flagsOf(policy);
  const listener = notifies(policy);
  const load = call(
    "seccomp",
    [
      num(SECCOMP.SET_MODE_FILTER, "SECCOMP_SET_MODE_FILTER"),
      num(how.value, how.text),
      mem(program, `${filter.length / 8} instructions of BPF`),
    ],
    because("linux.seccomp", "allow only the system calls of the policy"),
    listener ? { result: "listener" } : {},
  );
  if (!listener) return [load];
  const reason = because("linux.seccomp", "let the keeper pass the listener's descriptor on");
  return [load, ...sendDescriptor("listener", SYNC, reason), close("listener", "close it")];
}

/** The policy where nobody listens: the calls that would be handed over are not there. */
export function unheard(policy: Seccomp | undefined): Seccomp | undefined {
  if (policy === undefined || !notifies(policy)) return policy;
  const known = unheardOf.get(policy);
  if (known !== undefined) return known;
  const absent = { action: "SCMP_ACT_ERRNO", errnoRet: ERRNO.ENOSYS } as const;
  const changed: Seccomp = {
    ...policy,
    syscalls: (policy.syscalls ?? []).map((rule) =>
      rule.action === "SCMP_ACT_NOTIFY" ? { ...rule, ...absent } : rule,
    ),
  };
  unheardOf.set(policy, changed);
  return changed;
}

/** The same object for the same policy: it is compiled once. */
const unheardOf = new WeakMap<Seccomp, Seccomp>();

/** struct sockaddr_un (unix(7)): family, and at most 107 bytes of a path. */
const PATH_MAX = 107;

/**
 * In the keeper: take the listener from the container's process and send it to the socket of the configuration, with
 * the container process state (config-linux.md, "The Container Process State"); one connection, closed after it.
 */
export function passListener(spec: RuntimeSpec, bundle: Bundle, because: Because): Step[] {
  const policy = spec.linux?.seccomp;
  if (policy === undefined || !notifies(policy)) return [];
  const { listenerMetadata, listenerPath = "" } = policy;
  const path = new TextEncoder().encode(listenerPath);
  if (path.length > PATH_MAX)
    throw new Error(
      `Cannot launch: linux.seccomp.listenerPath: a socket's path has at most ${PATH_MAX} bytes, this one ${path.length}: choose a shorter one`,
    );
  const hint = `a listener must wait at the socket ${listenerPath}: failed to connect with seccomp agent`;
  const reason = because(
    "linux.seccomp.listenerPath",
    "hand system calls to the listener of the policy",
    hint,
  );
  const state = stateJson(spec, bundle, "creating", PLACEHOLDER);
  const text = JSON.stringify({
    ociVersion: spec.ociVersion,
    fds: ["seccompFd"],
    pid: PLACEHOLDER,
    ...(listenerMetadata === undefined ? {} : { metadata: listenerMetadata }),
    state: JSON.parse(state) as unknown,
  });
  const [head = "", middle = "", tail = ""] = text.split(`"pid":${PLACEHOLDER}`);
  const address = new Uint8Array(2 + PATH_MAX + 1);
  address[0] = SOCKET.AF_UNIX;
  address.set(path, 2);
  const type = flags("SOCK", { STREAM: SOCKET.STREAM, CLOEXEC: SOCKET.CLOEXEC }, "STREAM", "CLOEXEC");
  return [
    { kind: "receive", into: "listener", ...reason },
    call("socket", [num(SOCKET.AF_UNIX, "AF_UNIX"), num(type.value, type.text), num(0)], reason, {
      result: "agent",
    }),
    call(
      "connect",
      [from("agent"), mem({ kind: "bytes", bytes: address }, listenerPath), num(address.length)],
      reason,
    ),
    { kind: "decimal", slot: "child", into: PID, prefix: '"pid":', suffix: " ".repeat(PID_SIZE), ...reason },
    { kind: "store", slot: "listener", to: CONTROL, offset: 16, size: 4, ...reason },
    call(
      "sendmsg",
      [from("agent"), mem(message(head, middle, tail), "seccompFd and the state"), num(0)],
      reason,
    ),
    close("agent", "close it"),
    close("listener", "leave it to the listener"),
  ];
}

const PLACEHOLDER = 2 ** 52 + 1;
/** "pid": and the digits, filled up with blanks, which mean nothing in JSON. */
const PID_SIZE = 20;
const PID = space(64, "listener-pid");
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const CONTROL = struct([u64(20), u32(SOL_SOCKET, SCM_RIGHTS), u32(0, 0)], "listener-control");

/** struct msghdr with the pid in two places of one text. */
function message(head: string, middle: string, tail: string): Data {
  const piece = (text: string) => {
    const bytes = new TextEncoder().encode(text);
    return [{ pointer: { kind: "bytes", bytes } as const }, u64(bytes.length)];
  };
  const pid = [{ pointer: PID }, u64(PID_SIZE)];
  const vector = struct([...piece(head), ...pid, ...piece(middle), ...pid, ...piece(tail)]);
  return struct([u64(0, 0), { pointer: vector }, u64(5), { pointer: CONTROL }, u64(24), u64(0)]);
}

import { CLONE, SOCKET, TTY } from "../../kernel/flags.ts";
import type { Call } from "../step.ts";
import type { Handlers } from "./handler.ts";
import { bytesOf, dataAt, numberAt, reachable, slotAt, textAt } from "./memory.ts";
import { quote } from "./shell.ts";
import { noForm, note, reenter, run, type State, say, word } from "./state.ts";

/** Calls that change namespaces, the root, the network and the terminal. */

/** Options of unshare(1) and nsenter(1), which have the same names. */
export const NAMESPACES: readonly (readonly [number, string])[] = [
  [CLONE.NEWUSER, "user"],
  [CLONE.NEWNS, "mount"],
  [CLONE.NEWUTS, "uts"],
  [CLONE.NEWIPC, "ipc"],
  [CLONE.NEWNET, "net"],
  [CLONE.NEWPID, "pid"],
  [CLONE.NEWCGROUP, "cgroup"],
  [CLONE.NEWTIME, "time"],
];

function optionOf(flag: number): string {
  const found = NAMESPACES.find(([bit]) => bit === flag);
  if (found === undefined) throw noForm(`namespaces 0x${flag.toString(16)}`);
  return `--${found[1]}`;
}

function unshare(state: State, call: Call) {
  const option = optionOf(numberAt(call, 0));
  if (state.side === "container") return reenter(state, ["unshare", option]);
  if (option !== "--mount") return void state.unshare.push(option);
  // The keeper has been joined by its child: what it mounts for it can be mounted right there.
  state.prefix = 'nsenter --mount="/proc/$child/ns/mnt" ';
  note(state, "descriptors cannot be handed on by hand, so the container's own mount namespace is used");
}

function setns(state: State, call: Call) {
  const file = state.slots.get(slotAt(call, 0) ?? "");
  if (file?.kind !== "file") throw noForm("setns of what is no namespace file");
  if (state.prefix !== "") {
    state.prefix = "";
    return;
  }
  if (state.side === "container" && numberAt(call, 1) === CLONE.NEWNS) {
    return note(state, "NOT done by hand: no tool is in two mount namespaces at once");
  }
  const option = `${optionOf(numberAt(call, 1))}=${word(state, file.place)}`;
  if (state.side === "container") return reenter(state, ["nsenter", option]);
  state.enter += `nsenter ${option} `;
}

function pivotRoot(state: State) {
  state.pivoted = true;
  state.afterPivot.push({ reason: state.reason, words: [] });
  note(state, "done at the end, since the host's tools and paths are gone with it");
}

function unmount(state: State, call: Call) {
  if (!state.pivoted || textAt(call, 0) !== ".") throw noForm(`umount2 of ${textAt(call, 0)}`);
  state.afterPivot.push({ reason: call, words: ["umount", "-l", "/.."] });
}

function socket(state: State, call: Call) {
  if (call.result !== undefined) state.slots.set(call.result, { kind: "socket" });
  for (const undo of call.undo ?? []) {
    const message = undo.args[1];
    if (undo.call !== "sendto" || message?.kind !== "data" || message.text === undefined)
      throw noForm(`an undo with ${undo.call}`);
    state.undo.push(...message.text.split("; ").map((command) => `${command} 2>/dev/null || :`));
  }
}

function ioctl(state: State, call: Call) {
  const request = numberAt(call, 1);
  switch (request) {
    case SOCKET.SIOCSIFFLAGS: {
      // struct ifreq: 16 bytes of name, then the flags.
      const bytes = bytesOf(dataAt(call, 2));
      const end = bytes.indexOf(0);
      const name = Buffer.from(bytes.subarray(0, Math.min(end, 16))).toString();
      const up = ((bytes[16] ?? 0) & SOCKET.IFF_UP) !== 0;
      return run(state, "ip link set", quote(name), up ? "up" : "down");
    }
    case SOCKET.SIOCGIFINDEX:
      // The tools find interfaces by name.
      return;
    case SOCKET.SIOCETHTOOL:
      // By the time that the next tool has started the kernel has done it by itself.
      return;
    case TTY.TIOCGPTPEER:
      if (call.result !== undefined) state.slots.set(call.result, { kind: "terminal" });
      return note(state, "the script's own terminal serves");
    case TTY.TIOCSPTLCK:
    case TTY.TIOCSWINSZ:
      return note(state, "the script's own terminal serves");
    case TTY.TIOCSCTTY:
      state.last.session = false;
      return note(state, "not done by hand: the terminal belongs to the session of the script");
    default:
      throw noForm(`ioctl 0x${request.toString(16)}`);
  }
}

/** An overlay acts as whoever mounted it; a tool that mounts is root, so it is root of the container's users. */
function actAs(state: State, call: Call) {
  if (state.prefix === "") throw noForm(`${call.call} of its own`);
  const outer = 'nsenter --mount="/proc/$child/ns/mnt" ';
  state.prefix = numberAt(call, 0) === 0 ? outer : `${outer}--user="/proc/$child/ns/user" `;
}

/** The word that a child waits for. */
export const GO = "echo go >&4";

/** A mount that is sent has been made where the child is: the message says that it is there. */
function send(state: State, call: Call) {
  const sent = reachable(dataAt(call, 1))
    .map((data) => state.stores.get(data))
    .find((slot) => slot !== undefined);
  if (sent === undefined) throw noForm("a message without a descriptor");
  const thing = state.slots.get(sent);
  if (thing?.kind !== "tree") return note(state, "the script's own terminal serves");
  state.sent.push(thing);
  say(state, GO);
}

export const JOINING: Handlers = {
  unshare,
  setns,
  pivot_root: pivotRoot,
  umount2: unmount,
  setfsuid: actAs,
  setfsgid: actAs,
  socket,
  ioctl,
  sendmsg: send,
  sendto: (state) => say(state, GO),
  recvfrom: (state) =>
    state.last.background ? say(state, "read -r _ <&4") : note(state, "the script has made them before"),
  sethostname: (state, call) => run(state, "hostname", quote(textAt(call, 0))),
  setdomainname: (state, call) => run(state, "domainname", quote(textAt(call, 0))),
  socketpair: (state) => note(state, "the shell waits for its child anyway"),
};

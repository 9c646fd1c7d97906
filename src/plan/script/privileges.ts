import { CAPABILITIES } from "../../kernel/capabilities.ts";
import { PR, PR_CAP_AMBIENT } from "../../kernel/flags.ts";
import { RLIM_INFINITY, RLIMITS } from "../../kernel/rlimits.ts";
import type { Call } from "../step.ts";
import type { Handlers } from "./handler.ts";
import { dataAt, numberAt, words32, words64 } from "./memory.ts";
import { noForm, note, reenter, type State } from "./state.ts";

/** Calls that take privileges away: options of setpriv(1) and prlimit(1) before the workload. */

const capability = (number: number) =>
  (Object.entries(CAPABILITIES).find(([, value]) => value === number)?.[0] ?? `CAP_${number}`)
    .slice(4)
    .toLowerCase();

const plus = (names: readonly string[]) => ["-all", ...names.map((name) => `+${name}`)].join(",");

function control(state: State, call: Call) {
  const what = numberAt(call, 0);
  const { last } = state;
  switch (what) {
    case PR.CAPBSET_DROP:
      if (last.dropped.length === 0) note(state, "setpriv --bounding-set does it at the end");
      return void last.dropped.push(capability(numberAt(call, 1)));
    case PR.SET_NO_NEW_PRIVS:
      last.privileges.push("--no-new-privs");
      return note(state, "setpriv --no-new-privs does it at the end");
    case PR.SET_PDEATHSIG:
      if (!state.pivoted) return note(state, "unshare --kill-child does it, where it has a child");
      last.privileges.push("--pdeathsig KILL");
      return note(state, "setpriv --pdeathsig does it at the end");
    case PR.CAP_AMBIENT:
      if (numberAt(call, 1) !== PR_CAP_AMBIENT.RAISE) throw noForm("PR_CAP_AMBIENT other than RAISE");
      return void last.ambient.push(capability(numberAt(call, 2)));
    case PR.SET_DUMPABLE:
      return note(state, "NOT done by hand: setpriv has no option for it");
    case PR.SET_KEEPCAPS:
      return note(state, "setpriv does so itself");
    case PR.SET_SECUREBITS:
      return note(state, "by hand it is the root of the container's users who mounts");
    case PR.SET_CHILD_SUBREAPER:
    case PR.SET_NAME:
      return note(state, "the keeper's own business");
    default:
      throw noForm(`prctl ${what}`);
  }
}

/** execve gives root what the bounding set has, and others what is ambient: only the inheritable set remains to be set. */
function setCapabilities(state: State, call: Call) {
  if (state.side === "keeper") return note(state, "the keeper's own business");
  const [, , low = 0, , , high = 0] = words32(dataAt(call, 1));
  const mask = BigInt(low) | (BigInt(high) << 32n);
  const names = Array.from({ length: 64 }, (_, bit) => bit).filter(
    (bit) => ((mask >> BigInt(bit)) & 1n) === 1n,
  );
  state.last.privileges.push(`--inh-caps=${plus(names.map(capability))}`);
  note(
    state,
    "execve computes them from the bounding set (root) or the ambient one (others), as setpriv leaves them",
  );
}

function setGroup(state: State, call: Call) {
  state.identity.gid = String(numberAt(call, 1));
}

function setGroups(state: State, call: Call) {
  const count = numberAt(call, 0);
  const groups = count === 0 ? [] : [...words32(dataAt(call, 1))].slice(0, count);
  state.identity.groups = groups.length === 0 ? "--clear-groups" : `--groups=${groups.join(",")}`;
}

function setUser(state: State, call: Call) {
  const { identity } = state;
  const user = [
    `--reuid=${numberAt(call, 1)}`,
    ...(identity.gid === undefined ? [] : [`--regid=${identity.gid}`]),
  ];
  const options = [...user, identity.groups ?? "--keep-groups"];
  if (state.pivoted) {
    state.last.privileges.push(...options);
    return note(state, `setpriv ${user.join(" ")} does it at the end`);
  }
  delete identity.gid;
  state.prefix = "";
  reenter(state, ["setpriv", ...options]);
}

function limit(state: State, call: Call) {
  const number = numberAt(call, 1);
  const name = Object.entries(RLIMITS).find(([, value]) => value === number)?.[0];
  if (name === undefined) throw noForm(`resource limit ${number}`);
  const [soft = 0n, hard = 0n] = words64(dataAt(call, 2)).map((value) =>
    value === RLIM_INFINITY ? "unlimited" : value,
  );
  state.last.limits.push(`--${name.slice("RLIMIT_".length).toLowerCase()}=${soft}:${hard}`);
  note(state, "prlimit does it at the end");
}

function seccomp(state: State, call: Call) {
  const [instructions = 0n] = words64(dataAt(call, 2));
  note(
    state,
    `NOT done by hand: no util-linux tool loads a seccomp filter (${instructions} instructions of BPF)`,
  );
}

export const PRIVILEGES: Handlers = {
  prctl: control,
  capset: setCapabilities,
  setresgid: setGroup,
  setresuid: setUser,
  setgroups: setGroups,
  prlimit64: limit,
  seccomp,
  setpgid: (state) => note(state, "the script stays in the process group of the caller"),
  setsid(state) {
    if (state.side === "keeper") return note(state, "the script stays in the caller's session");
    state.last.session = ![...state.slots.values()].some((thing) => thing.kind === "terminal");
    note(
      state,
      state.last.session
        ? "setsid does it at the end"
        : "not done by hand: the script stays in the session of its terminal",
    );
  },
  keyctl: (state) => note(state, "NOT done by hand: no util-linux tool changes keyrings"),
  bpf: (state) =>
    note(state, "NOT done by hand: no util-linux tool loads a program for the devices of a cgroup"),
  rt_sigprocmask: (state) => note(state, "a shell blocks no signal"),
  signalfd4: (state) => note(state, "the shell waits for its child instead"),
  fcntl: (state) => note(state, "the script's own standard streams serve"),
};

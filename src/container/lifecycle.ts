/**
 * What may be asked of a container in each state, and what comes of it. One table: a state or a request
 * without an entry does not compile.
 */

export const STATES = ["created", "running", "paused", "restarting", "removing", "exited", "dead"] as const;
export type State = (typeof STATES)[number];

/** What clients ask for, and the two things that happen by themselves: `exited` and `removed`. */
export type Request =
  | "start"
  | "stop"
  | "restart"
  | "kill"
  | "pause"
  | "unpause"
  | "exec"
  | "remove"
  | "update"
  | "exited";

export type Action =
  /** Do it. */
  | { readonly kind: "do" }
  /** It is so already: Docker answers 304 (or does nothing). */
  | { readonly kind: "already" }
  /** Not in this state: a 409 with Docker's sentence, or a 500 where Docker has that. */
  | { readonly kind: "refuse"; readonly why: Why; readonly status: 409 | 500 };

/** @param as how the container was named in the request */
type Why = (id: string, as: string) => string;

const go: Action = { kind: "do" };
const already: Action = { kind: "already" };
const refuse = (why: Why, status: 409 | 500 = 409): Action => ({ kind: "refuse", why, status });

const notRunning = refuse((id) => `container ${id} is not running`);
const cannotKill = refuse((id, as) => `cannot kill container: ${as}: container ${id} is not running`);
const isPaused = refuse((_, as) => `Container ${as} is paused, unpause the container before exec`);
const isRestarting = refuse((_, as) => `Container ${as} is restarting, wait until the container is running`);
const notPaused = refuse((id) => `Container ${id} is not paused`, 500);
const beingRemoved = refuse((id) => `container is marked for removal and cannot be used: ${id}`);
const removing = refuse((id) => `removal of container ${id} is already in progress`);
const startPaused = refuse(() => "cannot start a paused container, try unpause instead");
const removeRunning = refuse(
  (_, as) =>
    `cannot remove container "${as}": container is running: stop the container before removing or force remove`,
);
const removePaused = refuse(
  (_, as) => `cannot remove container "${as}": container is paused and must be unpaused first`,
);
const removeRestarting = refuse(
  (_, as) =>
    `cannot remove container "${as}": container is restarting: stop the container before removing or force remove`,
);

/** A container that is not up, in whichever way it came to that. */
const down = {
  start: go,
  stop: already,
  restart: go,
  kill: cannotKill,
  pause: notRunning,
  unpause: notPaused,
  exec: notRunning,
  remove: go,
  update: go,
  exited: already,
} as const satisfies Record<Request, Action>;

const table: Record<State, Record<Request, Action>> = {
  created: down,
  exited: down,
  dead: { ...down, start: beingRemoved, restart: beingRemoved, update: beingRemoved },
  running: {
    start: already,
    stop: go,
    restart: go,
    kill: go,
    pause: go,
    unpause: notPaused,
    exec: go,
    remove: removeRunning,
    update: go,
    exited: go,
  },
  paused: {
    start: startPaused,
    stop: go,
    restart: go,
    kill: go,
    pause: refuse((id) => `Container ${id} is already paused`),
    unpause: go,
    exec: isPaused,
    remove: removePaused,
    update: go,
    exited: go,
  },
  restarting: {
    start: go,
    stop: go,
    restart: go,
    kill: go,
    pause: refuse((id) => `Container ${id} is restarting, wait until the container is running`),
    unpause: notPaused,
    exec: isRestarting,
    remove: removeRestarting,
    update: go,
    exited: already,
  },
  removing: {
    start: beingRemoved,
    stop: already,
    restart: beingRemoved,
    kill: cannotKill,
    pause: notRunning,
    unpause: notPaused,
    exec: notRunning,
    remove: removing,
    update: beingRemoved,
    exited: already,
  },
};

/** What `request` does to a container in `state`. */
export const actionOf = (state: State, request: Request): Action => table[state][request];

/** A process exists, or is about to again: what Docker's `State.Running` says. */
export const isUp = (state: State): boolean =>
  state === "running" || state === "paused" || state === "restarting";

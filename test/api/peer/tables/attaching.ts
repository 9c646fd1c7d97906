import { type Case, create, get, gone, post, scene } from "../table.ts";

export const UPGRADE = { Upgrade: "tcp", Connection: "Upgrade" };
/** A container that repeats what it reads and says so on both streams. */
const ECHO = { Cmd: ["sh", "-c", "cat; echo end >&2; exit 3"], OpenStdin: true, StdinOnce: true };

export const attaching: readonly Case[] = [
  {
    name: "attach before the start",
    steps: [
      create("att", ECHO),
      // Docker sends the head at once; the stream comes with the start, which another connection asks for.
      post("/containers/att/attach?logs=1&stdout=1&stderr=1", { sent: UPGRADE, input: "" }),
      post("/containers/att/attach?logs=1&stdout=1&stderr=1", { input: "" }),
      gone("att"),
    ],
  },
  {
    name: "attach to what runs",
    steps: [
      create("run", { ...ECHO, Cmd: ["sh", "-c", "cat; sleep 0.1; echo end >&2; exit 3"] }),
      post("/containers/run/start"),
      post("/containers/run/attach?stream=1&stdin=1&stdout=1&stderr=1", {
        sent: UPGRADE,
        input: "one\ntwo\n",
      }),
      post("/containers/run/wait"),
      get("/containers/run/logs?stdout=1&stderr=1"),
      post("/containers/run/attach?logs=1&stdout=1&stderr=1", { input: "" }),
      post("/v1.41/containers/run/attach?logs=1&stdout=1&stderr=1", { input: "" }),
      gone("run"),
    ],
  },
  {
    name: "attach in the old form",
    steps: [
      create("old", { ...ECHO, Cmd: ["sh", "-c", "cat; sleep 0.1; echo end >&2; exit 3"] }),
      post("/containers/old/start"),
      post("/containers/old/attach?stream=1&stdin=1&stdout=1&stderr=1", { input: "one\ntwo\n" }),
      post("/containers/old/wait"),
      gone("old"),
    ],
  },
  {
    name: "attach to a terminal",
    steps: [
      create("tty", { Cmd: ["sh", "-c", "read a; echo got $a; exit 4"], Tty: true, OpenStdin: true }),
      post("/containers/tty/start"),
      post("/containers/tty/resize?h=20&w=30"),
      post("/containers/tty/resize?h=x&w=30"),
      post("/containers/tty/resize"),
      ...["-1", "%2B1", "1.5", "-x", "4294967295", "4294967296", "9".repeat(30)].map((h) =>
        post(`/containers/tty/resize?h=${h}&w=30`),
      ),
      post("/containers/tty/resize?h=0&w=0"),
      post("/containers/tty/attach?stream=1&stdin=1&stdout=1&stderr=1", {
        sent: UPGRADE,
        input: "word\n",
        // The end of the input ends the session: how much comes before that is chance.
        bodyless: true,
      }),
      post("/containers/tty/wait"),
      get("/containers/tty/logs?stdout=1"),
      gone("tty"),
    ],
    freeEvents: ["events[*].Actor.Attributes.execDuration"],
  },
  {
    name: "detach keys",
    steps: [
      create("det", { Cmd: ["sh", "-c", "while :; do sleep 1; done"], Tty: true, OpenStdin: true }),
      post("/containers/det/start"),
      post("/containers/det/attach?stream=1&stdin=1&stdout=1&detachKeys=ctrl-a,x", {
        sent: UPGRADE,
        input: "\u0001x",
        bodyless: true,
      }),
      post("/containers/det/attach?stream=1&stdin=1&stdout=1&detachKeys=nonsense", {
        sent: UPGRADE,
        input: "",
      }),
      get("/containers/det/json", { bodyless: true }),
      gone("det"),
    ],
  },
  {
    name: "attach that is refused",
    steps: [
      scene("pausy"),
      post("/containers/pausy/start"),
      post("/containers/pausy/pause"),
      post("/containers/pausy/attach?stream=1&stdout=1"),
      gone("pausy"),
    ],
  },
];

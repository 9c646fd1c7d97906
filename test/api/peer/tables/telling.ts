import { type Case, create, del, get, gone, post } from "../table.ts";
import { INSPECT } from "./places.ts";

const filter = (value: object): string => encodeURIComponent(JSON.stringify(value));

export const telling: readonly Case[] = [
  {
    name: "killed for its memory",
    // One process that keeps what it reads: of several it is chance which are killed.
    steps: [
      create("oom", { Cmd: ["tail", "/dev/zero"] }, { Memory: 8 << 20, MemorySwap: 8 << 20 }),
      post("/containers/oom/start"),
      post("/containers/oom/wait", { bodyless: true }),
      get("/containers/oom/json", {
        view: ({ body }) =>
          (JSON.parse(body.toString()) as { State: { OOMKilled: boolean } }).State.OOMKilled,
      }),
      gone("oom"),
    ],
    freeEvents: ["events[*].Actor.Attributes.exitCode"],
  },
  {
    name: "restarted by its policy",
    steps: [
      create("again", { Cmd: ["false"] }, { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 1 } }),
      post("/containers/again/start"),
      // Docker's wait may end between the two lives.
      get("/events?until={later}", { silent: true }),
      get("/containers/again/json", { free: INSPECT }),
      gone("again"),
    ],
  },
  {
    name: "healthy",
    steps: [
      create("well", { Healthcheck: { Test: ["CMD", "true"], Interval: 300e6, Retries: 1 } }),
      post("/containers/well/start"),
      // A second of Docker's: until then the first check has been made.
      get("/containers/well/stats?stream=0", { silent: true }),
      get("/containers/json", {
        view: ({ body }) =>
          (JSON.parse(body.toString()) as { Status: string }[]).map(
            ({ Status }) => /\(.*\)/.exec(Status)?.[0],
          ),
      }),
      get(`/containers/json?filters=${filter({ health: ["healthy"] })}`, {
        view: ({ body }) => (JSON.parse(body.toString()) as object[]).length,
      }),
      get("/containers/well/json", {
        view: ({ body }) => {
          const { State } = JSON.parse(body.toString()) as {
            State: { Health: { Status: string; FailingStreak: number; Log: object[] } };
          };
          const { Status, FailingStreak, Log } = State.Health;
          return { Status, FailingStreak, keys: Object.keys(Log[0] ?? {}) };
        },
      }),
      gone("well"),
    ],
    noEvents: true,
  },
  {
    name: "a whole session of commands",
    steps: [
      create("tale", { Cmd: ["sleep", "1000"], Labels: { of: "commands" } }),
      post("/containers/tale/rename?name=story"),
      post("/containers/story/start"),
      post("/containers/story/pause"),
      post("/containers/story/unpause"),
      post("/containers/story/update", { body: { CpuShares: 300 } }),
      get("/containers/story/top", { bodyless: true }),
      get("/containers/story/export", { bodyless: true }),
      post("/containers/story/kill?signal=WINCH"),
      post("/containers/story/restart?t=0"),
      post("/containers/story/kill"),
      post("/containers/story/start"),
      post("/containers/story/stop?t=0"),
      del("/containers/story"),
    ],
  },
];

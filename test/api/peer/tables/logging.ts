import { type Case, create, get, gone, post, scene } from "../table.ts";

export const logging: readonly Case[] = [
  {
    name: "logs",
    steps: [
      create("logs", {
        Cmd: [
          "sh",
          "-c",
          "for i in 1 2 3 4 5; do echo line $i; done; sleep 0.1; echo problem >&2; sleep 0.1; printf rest",
        ],
      }),
      get("/containers/logs/logs?stdout=1"),
      post("/containers/logs/start"),
      post("/containers/logs/wait"),
      ...[
        "stdout=1",
        "stderr=1",
        "stdout=1&stderr=1",
        "stdout=true&tail=2",
        "stdout=1&tail=all",
        "stdout=1&tail=0",
        "stdout=1&tail=x",
        "stdout=1&tail=-1",
        "stdout=1&follow=1",
        "stdout=1&follow=1&tail=1",
        "stdout=1&timestamps=1",
        "stdout=1&since=1",
        "stdout=1&since=9999999999",
        "stdout=1&until=1",
        "stdout=1&since=x",
        "stdout=1&until=x",
        "stdout=1&since=1.5",
        "",
        "stdout=0",
        "stdout=1&details=1",
      ].map((query) => get(`/containers/logs/logs?${query}`)),
      get("/v1.24/containers/logs/logs?stdout=1"),
      get("/v1.42/containers/logs/logs?stdout=1"),
      gone("logs"),
    ],
  },
  {
    name: "logs of drivers that keep nothing",
    steps: [
      create("none", { Cmd: ["true"] }, { LogConfig: { Type: "none" } }),
      post("/containers/none/start"),
      post("/containers/none/wait"),
      get("/containers/none/logs?stdout=1"),
      get("/containers/none/json", {
        view: ({ body }) => (JSON.parse(body.toString()) as { LogPath: string }).LogPath,
      }),
      gone("none"),
      create("wrong", {}, { LogConfig: { Type: "nonsense" } }),
      create("wrong", {}, { LogConfig: { Type: "json-file", Config: { nonsense: "1" } } }),
      gone("wrong"),
    ],
  },
  {
    name: "labels and environment in logs",
    steps: [
      create(
        "det",
        { Cmd: ["echo", "x"], Labels: { a: "1" }, Env: ["B=2"] },
        { LogConfig: { Type: "json-file", Config: { labels: "a", env: "B" } } },
      ),
      post("/containers/det/start"),
      post("/containers/det/wait"),
      get("/containers/det/logs?stdout=1&details=1"),
      get("/containers/det/logs?stdout=1&details=1&timestamps=1"),
      get("/containers/det/logs?stdout=1"),
      gone("det"),
    ],
  },
];

export const statistics: readonly Case[] = [
  {
    name: "stats",
    steps: [
      scene("st"),
      get("/containers/st/stats?stream=0&one-shot=1", { free: ["name"], view: shape }),
      post("/containers/st/start", { silent: true }),
      // Docker leaves id and name out of this one.
      get("/containers/st/stats?stream=false&one-shot=true", { view: shape, free: ["-id", "-name"] }),
      get("/containers/st/stats?stream=0", { view: shape }),
      get("/v1.40/containers/st/stats?stream=0", { view: shape }),
      gone("st"),
    ],
  },
];

/** Keys and types. */
function shape({ body }: { readonly body: Buffer }): unknown {
  const kind = (value: unknown): unknown =>
    value === null
      ? "null"
      : Array.isArray(value)
        ? "list"
        : typeof value === "object"
          ? Object.fromEntries(
              Object.entries(value)
                .sort()
                .map(([key, one]) => [key, key === "stats" ? "memory" : kind(one)]),
            )
          : typeof value;
  return kind(JSON.parse(body.toString()));
}

import { type Case, del, get, head, options, post, put } from "../table.ts";

const PING = ["Builder-Version", "Swarm", "Cache-Control", "Pragma"];
/** Docker says 2 (BuildKit); cais has the classic builder only, and clients must fall back. */
const CLASSIC = ["Swarm", "Cache-Control", "Pragma"];

export const system: readonly Case[] = [
  {
    name: "ping",
    steps: [
      get("/_ping", { headers: CLASSIC }),
      head("/_ping", { headers: CLASSIC }),
      get("/v1.24/_ping", { headers: CLASSIC }),
      post("/_ping"),
      get("/_ping/", {}),
      get("/v1.51/_ping?x=1", { headers: PING.slice(1) }),
    ],
  },
  {
    name: "versions that are not spoken, and paths that are not there",
    steps: [
      get("/v1.23/version"),
      get("/v1.99/version"),
      get("/v2.0/version"),
      get("/v1.52/_ping"),
      get("/v1/version"),
      get("/v1.5x/version"),
      get("/vx/version"),
      get("/nowhere"),
      get("/v1.51/nowhere"),
      get("/"),
      get("/v1.51"),
      get("/v1.51/"),
      get("/version/"),
      get("//version"),
      get("/containers//json"),
      get("/containers/../version"),
      put("/version"),
      del("/info"),
      post("/containers/json"),
      options("/"),
      options("/v1.40/info"),
      options("/nowhere"),
      get("/networks/", { bodyless: true }),
      get("/networks/a/b"),
    ],
  },
  {
    name: "what is only an experiment, and what only BuildKit has",
    steps: [
      get("/containers/x/checkpoints"),
      post("/containers/x/checkpoints", { body: {} }),
      post("/session"),
      get("/session"),
      post("/containers/x/copy", { body: { Resource: "/" } }),
    ],
  },
  {
    name: "version",
    steps: [
      get("/version", {
        free: ["-Components", "-Platform.Name", "Version", "GitCommit", "GoVersion", "BuildTime"],
      }),
      get("/v1.24/version", {
        free: ["-Components", "-Platform.Name", "Version", "GitCommit", "GoVersion", "BuildTime"],
      }),
    ],
  },
  {
    name: "info",
    steps: [
      get("/info", { free: INFO() }),
      get("/v1.40/info", { free: INFO() }),
      get("/v1.24/info", { free: INFO() }),
    ],
  },
  {
    name: "what only a swarm has",
    steps: [
      ...["/swarm", "/nodes", "/services", "/tasks", "/secrets", "/configs"].map((path) => get(path)),
      ...["/nodes/x", "/services/x", "/tasks/x", "/secrets/x", "/configs/x", "/swarm/unlockkey"].map((path) =>
        get(path),
      ),
      ...["/services/create", "/secrets/create", "/configs/create", "/swarm/update?version=1"].map((path) =>
        post(path, { body: {} }),
      ),
      post("/swarm/leave"),
      post("/swarm/unlock", { body: {} }),
      post("/nodes/x/update?version=1", { body: {} }),
      post("/services/x/update?version=1", { body: {} }),
      post("/secrets/x/update?version=1", { body: {} }),
      post("/configs/x/update?version=1", { body: {} }),
      ...["/nodes/x", "/services/x", "/secrets/x", "/configs/x"].map((path) => del(path)),
      get("/services/x/logs?stdout=1"),
      get("/tasks/x/logs?stdout=1"),
    ],
  },
  {
    name: "plugins",
    steps: [
      get("/plugins"),
      get("/plugins/x/json"),
      post("/plugins/x/enable"),
      post("/plugins/x/disable"),
      post("/plugins/x/set", { body: [] }),
      post("/plugins/x/upgrade?remote=y", { body: [] }),
      post("/plugins/x/push"),
      del("/plugins/x"),
    ],
  },
  {
    name: "builder",
    steps: [
      post("/build/prune"),
      post("/v1.24/build/prune"),
      post("/build/cancel?id=x"),
      post("/build/cancel"),
      post('/build/prune?filters={"a":["b"]}'),
      post("/build/prune?filters=x"),
      post("/build/prune?keep-storage=5&all=1"),
      post("/build/prune?keep-storage=x"),
      post("/build/prune?reserved-space=x"),
    ],
  },
  {
    name: "disk usage",
    steps: [
      get("/system/df", { free: ["LayersSize", "-Images*", "-BuilderSize"] }),
      get("/system/df?type=container", { free: [] }),
      get("/system/df?type=volume&type=build-cache", { free: [] }),
      get("/system/df?type=x", { free: [] }),
      get("/v1.41/system/df?type=container", { free: ["LayersSize", "-Images*", "-BuilderSize"] }),
    ],
  },
  {
    name: "events that are asked for wrongly",
    noEvents: true,
    steps: [
      get("/events?since=x"),
      get("/events?until=x"),
      get("/events?since=2&until=1"),
      get("/events?filters=x"),
      get('/events?filters={"a":["b"]}&until=1'),
      get('/events?filters={"type":["b"]}&until=1'),
    ],
  },
];

/** What is the engine's own in `/info`. */
function INFO(): string[] {
  return [
    "ID",
    "Images",
    "-DriverStatus",
    "-Plugins.*",
    "NFd",
    "NGoroutines",
    "-IPv4Forwarding",
    "SystemTime",
    "NEventsListener",
    "ServerVersion",
    "-Runtimes",
    "-DefaultRuntime",
    "LiveRestoreEnabled",
    "InitBinary",
    "-*Commit",
    "CDISpecDirs",
    "-Containerd",
    "-FirewallBackend",
    "-SecurityOptions",
    "DockerRootDir",
    "-Containers*",
  ];
}

import type { Answer } from "../ask.ts";
import { type Case, create, del, get, gone, IMAGE, post, scene } from "../table.ts";
import { INSPECT, LIST, PARSED } from "./places.ts";

/** Docker forgets the network of a container whose start failed. */
const FAILED = "NetworkSettings.Networks.none.NetworkID";

/** Without the container's id. */
const said = ({ body }: { readonly body: Buffer }): unknown => body.toString().replace(/[0-9a-f]{64}/, "ID");
const pids = ({ body }: Answer): unknown =>
  (JSON.parse(body.toString()) as { HostConfig: { PidsLimit: unknown } }).HostConfig.PidsLimit;

export const living: readonly Case[] = [
  {
    name: "start, stop and what is so already",
    steps: [
      create("life", { StopTimeout: 0 }),
      post("/containers/life/stop"),
      post("/containers/life/kill"),
      post("/containers/life/pause"),
      post("/containers/life/unpause"),
      post("/containers/life/resize?h=10&w=10"),
      get("/containers/life/top"),
      get("/containers/life/stats?stream=0&one-shot=1", { free: ["-*"] }),
      post("/containers/life/start"),
      post("/containers/life/start"),
      get("/containers/life/json", { free: [...INSPECT, "-ResolvConfPath"] }),
      post("/containers/life/unpause"),
      post("/containers/life/pause"),
      post("/containers/life/pause"),
      post("/containers/life/start"),
      get("/containers/life/json", { free: INSPECT }),
      del("/containers/life"),
      post("/containers/life/exec", { body: { Cmd: ["true"] } }),
      post("/containers/life/unpause"),
      post("/containers/life/stop?t=0"),
      post("/containers/life/stop"),
      get("/containers/life/json", { free: INSPECT }),
      post("/containers/life/start?detachKeys=x"),
      del("/containers/life"),
      post("/containers/life/restart?t=0"),
      post("/containers/life/stop?t=x"),
      post("/containers/life/stop?signal=NOPE"),
      post("/containers/life/restart?t=0&signal=NOPE"),
      del("/containers/life?force=1"),
      del("/containers/life?link=1"),
    ],
  },
  {
    name: "start with a body",
    steps: [
      scene("body"),
      post("/containers/body/start", { body: { Binds: [] } }),
      post("/v1.24/containers/body/start", { body: {} }),
      post("/containers/body/start", { body: "x" }),
      gone("body"),
    ],
    noEvents: true,
  },
  {
    name: "a command that ends",
    steps: [
      create("ends", { Cmd: ["sh", "-c", "echo out; sleep 0.05; echo err >&2; exit 7"] }),
      post("/containers/ends/start"),
      post("/containers/ends/wait"),
      get("/containers/ends/json", { free: INSPECT }),
      get("/containers/json?all=1", { free: LIST }),
      get("/containers/ends/logs?stdout=1&stderr=1", {}),
      post("/containers/ends/wait?condition=removed-x"),
      post("/containers/ends/wait?condition=not-running"),
      del("/containers/ends?v=1"),
    ],
  },
  {
    name: "a program that is not there",
    steps: [
      create("missing", { Cmd: ["/nowhere"] }),
      post("/containers/missing/start", { free: ["message"] }),
      get("/containers/missing/json", { free: [...INSPECT, "State.Error", FAILED] }),
      del("/containers/missing"),
      create("denied", { Cmd: ["/etc/passwd"] }),
      post("/containers/denied/start", { free: ["message"] }),
      get("/containers/denied/json", { free: [...INSPECT, "State.Error", FAILED] }),
      del("/containers/denied"),
    ],
  },
  {
    name: "kill",
    steps: [
      scene("kill", { Cmd: ["sh", "-c", "trap 'exit 5' USR1; while :; do sleep 0.1; done"] }),
      post("/containers/kill/start"),
      post("/containers/kill/kill?signal=NOPE"),
      post("/containers/kill/kill?signal=SIGNOPE"),
      post("/containers/kill/kill?signal=99"),
      post("/containers/kill/kill?signal=0"),
      post("/containers/kill/kill?signal=WINCH"),
      post("/containers/kill/kill?signal=28"),
      post("/containers/kill/kill?signal=sigkill"),
      post("/containers/kill/wait"),
      post("/containers/kill/kill"),
      get("/containers/kill/json", { free: INSPECT }),
      gone("kill"),
    ],
  },
  {
    name: "stop by signal and by force",
    steps: [
      scene("polite", { Cmd: ["sh", "-c", "trap 'exit 5' TERM; echo ready; while :; do sleep 0.1; done"] }),
      post("/containers/polite/start"),
      get("/containers/polite/logs?stdout=1&follow=1&until=1", { silent: true }),
      post("/containers/polite/stop?t=20", { silent: true }),
      gone("polite"),
      scene("rude"),
      post("/containers/rude/start"),
      post("/containers/rude/stop?t=0"),
      get("/containers/rude/json", { free: INSPECT }),
      post("/containers/rude/start"),
      post("/containers/rude/restart?t=0"),
      get("/containers/rude/json", { free: INSPECT }),
      del("/containers/rude?force=true"),
    ],
    noEvents: true,
  },
  {
    name: "removed by itself",
    steps: [
      create("self", { Cmd: ["true"] }, { AutoRemove: true }),
      post("/containers/self/start"),
      create("self2", { Cmd: ["sleep", "100"] }, { AutoRemove: true }),
      post("/containers/self2/start"),
      del("/containers/self2?force=1"),
      create("self3", {}, { AutoRemove: true, RestartPolicy: { Name: "always" } }),
    ],
    noEvents: true,
  },
  {
    name: "wait",
    steps: [
      scene("wait"),
      post("/containers/wait/wait"),
      post("/containers/wait/start"),
      post("/containers/wait/stop?t=0"),
      post("/v1.24/containers/wait/wait"),
      post("/v1.29/containers/wait/wait?condition=removed"),
      post("/v1.30/containers/wait/wait?condition=nonsense"),
      gone("wait"),
    ],
  },
  {
    name: "update",
    steps: [
      scene("update", {}, { Memory: 64 << 20 }),
      post("/containers/update/start"),
      post("/containers/update/update", {
        body: {
          Memory: 128 << 20,
          MemorySwap: -1,
          CpuShares: 300,
          RestartPolicy: { Name: "unless-stopped" },
        },
      }),
      post("/containers/update/update", { body: { Memory: 1000 } }),
      scene("update-once", {}, { Memory: 64 << 20, AutoRemove: true }),
      post("/containers/update-once/update", { body: { Memory: 256 << 20 }, view: said }),
      post("/containers/update-once/update", { body: { RestartPolicy: { Name: "always" } }, view: said }),
      gone("update-once"),
      post("/containers/update/update", { body: { Memory: 256 << 20, MemorySwap: 128 << 20 } }),
      post("/containers/update/update", { body: { NanoCpus: 500000000 } }),
      post("/containers/update/update", { body: { CpuPeriod: 50000 } }),
      post("/containers/update/update", { body: { RestartPolicy: { Name: "nonsense" } } }),
      post("/containers/update/update", {
        body: { RestartPolicy: { Name: "always", MaximumRetryCount: 3 } },
      }),
      post("/containers/update/update", { body: { CpusetCpus: "99" } }),
      post("/containers/update/update", { body: { PidsLimit: 55 } }),
      post("/v1.39/containers/update/update", { body: { PidsLimit: 44 } }),
      get("/containers/update/json", { view: pids }),
      post("/containers/update/update", { body: { PidsLimit: 0 } }),
      get("/containers/update/json", { view: pids }),
      post("/containers/update/update", { body: { PidsLimit: 33 } }),
      post("/containers/update/update", { body: { PidsLimit: -1 } }),
      post("/containers/update/update", { body: {} }),
      post("/containers/update/update"),
      post("/containers/update/update", { body: "{", ...PARSED }),
      get("/containers/update/json", { free: INSPECT }),
      gone("update"),
      scene("update", {}, { AutoRemove: true }),
      post("/containers/update/update", { body: { RestartPolicy: { Name: "always" } } }),
      post("/containers/update/update", { body: { RestartPolicy: { Name: "no" } } }),
      gone("update"),
    ],
  },
  {
    name: "namespaces of one that does not run, that has another name by now, that is gone",
    noEvents: true,
    steps: [
      scene("jn-donor", {}, { IpcMode: "shareable" }),
      ...Object.entries({ pid: "PidMode", ipc: "IpcMode", network: "NetworkMode" }).flatMap(
        ([name, mode]) => [
          post(`/containers/create?name=jn-${name}`, {
            body: { Image: IMAGE, HostConfig: { NetworkMode: "none", [mode]: "container:jn-donor" } },
          }),
          get(`/containers/jn-${name}/json`, { free: INSPECT }),
          post(`/containers/jn-${name}/start`),
        ],
      ),
      post("/containers/jn-donor/rename?name=jn-renamed"),
      post("/containers/jn-renamed/start"),
      ...["pid", "ipc", "network"].map((name) => post(`/containers/jn-${name}/start`)),
      ...["pid", "ipc", "network"].map((name) => post(`/containers/jn-${name}/stop?t=0`, { silent: true })),
      gone("jn-renamed"),
      ...["pid", "ipc", "network"].map((name) => post(`/containers/jn-${name}/start`)),
      ...["pid", "ipc", "network"].map((name) => gone(`jn-${name}`)),
      ...["PidMode", "IpcMode"].map((mode) =>
        post("/containers/create?name=jn-none", {
          body: { Image: IMAGE, HostConfig: { NetworkMode: "none", [mode]: "container:jn-nobody" } },
          // Docker does not say what for.
          free: ["message"],
        }),
      ),
    ],
  },
  {
    name: "top",
    steps: [
      scene("top", { Cmd: ["sleep", "1000"] }),
      post("/containers/top/start"),
      get("/containers/top/top", { view: titles }),
      get("/containers/top/top?ps_args=aux", { view: titles }),
      get("/containers/top/top?ps_args=-o%20pid,comm,args", { view: titles }),
      get("/containers/top/top?ps_args=-eo%20pid,ppid,user,cmd", { view: titles }),
      get("/containers/top/top?ps_args=-eo%20user", { view: titles }),
      get("/containers/top/top?ps_args=axo%20pid,stat,rss,vsz,comm", { view: titles }),
      get("/containers/top/top?ps_args=-l", { view: titles }),
      get("/containers/top/top?ps_args=--nonsense", { bodyless: true }),
      gone("top"),
    ],
  },
  {
    name: "top: programs by name, sorted, and what cannot be",
    noEvents: true,
    steps: [
      scene("top", { Cmd: ["sh", "-c", "sleep 1000 & sleep 2000; true"] }),
      post("/containers/top/start"),
      post("/containers/top/exec", {
        body: { Cmd: ["sh", "-c", "until [ $(pidof sleep | wc -w) = 2 ]; do usleep 9999; done"] },
        keep: ["ready", "Id"],
      }),
      post("/exec/{ready}/start", { body: {}, silent: true }),
      ...[
        "-C sleep",
        "-Csleep -f",
        "-C sh,sleep -o pid,args",
        "-C sleep -C sh -o pid,comm",
        "-C nobody",
        "-C",
        "-C sleep -o cmd",
        "-Csleep opid,cgroup,cmd --sort=pid",
        "aux --sort pid",
        "-eo pid,args --sort=-args",
        "--sort",
        "--headers -ef",
        "-e --no-headers",
        "-o",
        "-o uid=PID,cmd",
        "-opid=PID,cmd",
      ].map((words) => get(`/containers/top/top?ps_args=${encodeURIComponent(words)}`, { view: titles })),
      gone("top"),
    ],
  },
];

/** What `top` has besides numbers by chance. */
function titles({ body }: { readonly body: Buffer }): unknown {
  const { Titles, Processes, message } = JSON.parse(body.toString()) as {
    Titles?: string[];
    Processes?: string[][];
    message?: string;
  };
  return { Titles, last: Processes?.map((row) => row.at(-1)), message };
}

import { type Case, create, del, get, gone, head, post, put, scene } from "../table.ts";

const UPGRADE = { Upgrade: "tcp", Connection: "Upgrade" };
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

export const executing: readonly Case[] = [
  {
    name: "exec",
    steps: [
      scene("ex"),
      post("/containers/ex/exec", { body: { Cmd: ["true"] } }),
      post("/containers/ex/start", { silent: true }),
      post("/containers/ex/exec", { body: {} }),
      post("/containers/ex/exec", { body: { Cmd: [] } }),
      post("/containers/ex/exec", { body: "{", free: ["message"] }),
      post("/containers/ex/exec", { body: { Cmd: "true" }, free: ["message"] }),
      post("/containers/ex/exec", { body: { Cmd: ["true"], DetachKeys: "nonsense" } }),
      post("/containers/ex/exec", {
        body: {
          Cmd: ["sh", "-c", "echo out; sleep 0.1; echo err >&2; exit 6"],
          AttachStdout: true,
          AttachStderr: true,
        },
        keep: ["id", "Id"],
      }),
      get("/exec/{id}/json"),
      get("/containers/ex/json", {
        view: ({ body }) => (JSON.parse(body.toString()) as { ExecIDs: string[] | null }).ExecIDs?.length,
      }),
      post("/exec/{id}/start", { body: {}, sent: UPGRADE, input: "" }),
      get("/exec/{id}/json"),
      post("/exec/{id}/start", { body: {} }),
      post("/exec/{id}/start", { body: { Detach: true } }),
      get("/exec/nothing/json"),
      post("/exec/nothing/start", { body: {} }),
      post("/exec/nothing/resize?h=1&w=1"),
      gone("ex"),
      get("/exec/{id}/json"),
    ],
  },
  {
    name: "exec with input, detached, on a terminal",
    steps: [
      scene("ex2"),
      post("/containers/ex2/start", { silent: true }),
      post("/containers/ex2/exec", {
        body: { Cmd: ["cat"], AttachStdin: true, AttachStdout: true },
        keep: ["in", "Id"],
      }),
      post("/exec/{in}/start", { body: {}, sent: UPGRADE, input: "through\n" }),
      get("/exec/{in}/json"),
      post("/containers/ex2/exec", {
        body: { Cmd: ["cat"], AttachStdin: true, AttachStdout: true },
        keep: ["in2", "Id"],
      }),
      post("/exec/{in2}/start", { body: {}, input: "through\n" }),
      post("/containers/ex2/exec", {
        body: { Cmd: ["cat"], AttachStdin: true, AttachStdout: true },
        keep: ["in3", "Id"],
      }),
      post("/v1.41/exec/{in3}/start", { body: {}, input: "through\n" }),
      post("/containers/ex2/exec", {
        body: {
          Cmd: ["sh", "-c", "echo $A; pwd; id -u; stty size"],
          Tty: true,
          AttachStdout: true,
          Env: ["A=b"],
          WorkingDir: "/var",
          User: "www",
          ConsoleSize: [30, 40],
        },
        keep: ["tty", "Id"],
      }),
      get("/exec/{tty}/json"),
      post("/exec/{tty}/start", { body: { Tty: true, ConsoleSize: [31, 41] }, sent: UPGRADE, input: "" }),
      post("/containers/ex2/exec", { body: { Cmd: ["true"] }, keep: ["detached", "Id"] }),
      post("/exec/{detached}/start", { body: { Detach: true } }),
      post("/containers/ex2/exec", {
        body: { Cmd: ["nonesuch"], AttachStdout: true },
        keep: ["missing", "Id"],
      }),
      post("/exec/{missing}/start", { body: {}, bodyless: true }),
      get("/exec/{missing}/json"),
      post("/containers/ex2/exec", { body: { Cmd: ["nonesuch"] }, keep: ["missing2", "Id"] }),
      post("/exec/{missing2}/start", { body: { Detach: true }, bodyless: true }),
      post("/containers/ex2/exec", { body: { Cmd: ["true"], User: "nobodythere" }, keep: ["user", "Id"] }),
      post("/exec/{user}/start", { body: { Detach: true }, bodyless: true }),
      post("/containers/ex2/exec", { body: { Cmd: ["true"] }, keep: ["plain", "Id"] }),
      post("/exec/{plain}/start", { body: { ConsoleSize: [1, 2] } }),
      post("/exec/{plain}/start", { body: "x", free: ["message"] }),
      gone("ex2"),
    ],
    noEvents: true,
  },
  {
    name: "what execs tell",
    steps: [
      scene("ex3"),
      post("/containers/ex3/start", { silent: true }),
      post("/containers/ex3/exec", {
        body: { Cmd: ["sh", "-c", "exit 4"], AttachStdout: true },
        keep: ["one", "Id"],
      }),
      post("/exec/{one}/start", { body: {}, sent: UPGRADE, input: "" }),
      gone("ex3"),
    ],
  },
];

const stat = { headers: ["!X-Docker-Container-Path-Stat"] };
/** The header's JSON, without what is by chance. */
const pathStat = ({ headers }: { readonly headers: ReadonlyMap<string, string> }): unknown => {
  const text = headers.get("X-Docker-Container-Path-Stat");
  if (text === undefined) return null;
  const { mtime, ...rest } = JSON.parse(Buffer.from(text, "base64").toString()) as Record<string, unknown>;
  return { ...rest, mtime: typeof mtime };
};
/** Names, types and owners of a tar's entries, as the headers have them. */
const entries = ({ status, body }: { readonly status: number; readonly body: Buffer }): unknown => {
  if (status !== 200) return body.toString();
  const found: string[] = [];
  for (let at = 0; at + 512 <= body.length; ) {
    const text = (from: number, length: number): string =>
      body
        .toString("latin1", at + from, at + from + length)
        .replace(/\0.*$/s, "")
        .trim();
    if (text(0, 100) === "") break;
    const size = Number.parseInt(text(124, 12), 8) || 0;
    // Extended headers carry times and the like.
    if (!["x", "g"].includes(text(156, 1)))
      found.push([text(0, 100), text(156, 1), text(100, 8), text(108, 8), text(157, 100), size].join(" "));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return found.sort();
};

export const files: readonly Case[] = [
  {
    name: "archive out",
    steps: [
      create("arc", {
        Cmd: [
          "sh",
          "-c",
          "mkdir -p /tmp/d/sub; echo hello > /tmp/d/file; ln -s file /tmp/d/link; ln -s /var /tmp/d/etc; chmod 640 /tmp/d/file; chown 1000:29 /tmp/d/file; mkfifo /tmp/d/fifo; ln -s /nowhere /tmp/d/broken",
        ],
      }),
      post("/containers/arc/start", { silent: true }),
      post("/containers/arc/wait", { silent: true }),
      ...[
        "/tmp/d",
        "/tmp/d/",
        "/tmp/d/.",
        "/tmp/d/file",
        "/tmp/d/link",
        "/tmp/d/etc",
        "/tmp/d/etc/",
        "/tmp/d/fifo",
        "/tmp/d/broken",
        "/nowhere",
        "/tmp/d/file/",
        "/tmp/d/file/x",
        "relative",
        "tmp/d/file",
        "/",
        ".",
        "/tmp/../tmp/d/file",
        "/tmp/d/etc/log",
      ].flatMap((path) => [
        head(`/containers/arc/archive?path=${encodeURIComponent(path)}`, { ...stat, view: pathStat }),
        ...(path === "/" || path === "."
          ? []
          : [get(`/containers/arc/archive?path=${encodeURIComponent(path)}`, { ...stat, view: entries })]),
      ]),
      // Docker's sentence lacks a space.
      head("/containers/arc/archive"),
      get("/containers/arc/archive", { free: ["message"] }),
      get("/containers/arc/archive?path=", { free: ["message"] }),
      gone("arc"),
    ],
  },
  {
    name: "archive in",
    steps: [
      create("in", { Volumes: { "/vol": {} } }),
      put("/containers/in/archive?path=/tmp", { body: ONE("new") }),
      head("/containers/in/archive?path=/tmp/new", { view: pathStat }),
      put("/containers/in/archive?path=/tmp/new", { body: ONE("x") }),
      put("/containers/in/archive?path=/nowhere", { body: ONE("x") }),
      put("/containers/in/archive", { body: ONE("x"), free: ["message"] }),
      put("/containers/in/archive?path=/tmp&noOverwriteDirNonDir=1", { body: ONE("new/", "5") }),
      put("/containers/in/archive?path=/vol", { body: ONE("in-volume") }),
      put("/containers/in/archive?path=/tmp&copyUIDGID=1", { body: ONE("owned") }),
      head("/containers/in/archive?path=/tmp/owned", { view: pathStat }),
      get("/containers/in/changes", { view: changed }),
      post("/containers/in/start", { silent: true }),
      put("/containers/in/archive?path=/tmp", { body: ONE("running") }),
      get("/containers/in/changes", { view: changed }),
      gone("in"),
    ],
  },
  {
    name: "archive into what is read only",
    steps: [
      create("ro", {}, { ReadonlyRootfs: true, Binds: ["ro-vol:/vol", "ro-vol2:/vol2:ro"] }),
      put("/containers/ro/archive?path=/tmp", { body: ONE("x") }),
      put("/containers/ro/archive?path=/vol", { body: ONE("x") }),
      put("/containers/ro/archive?path=/vol2", { body: ONE("x") }),
      gone("ro"),
      del("/volumes/ro-vol", { silent: true }),
      del("/volumes/ro-vol2", { silent: true }),
    ],
    noEvents: true,
  },
  {
    name: "changes and export",
    steps: [
      create("chg", {
        Cmd: [
          "sh",
          "-c",
          "echo x > /tmp/new; rm /etc/group; echo y >> /etc/passwd; mkdir /newdir; touch /newdir/in",
        ],
      }),
      get("/containers/chg/changes"),
      post("/containers/chg/start", { silent: true }),
      post("/containers/chg/wait", { silent: true }),
      get("/containers/chg/changes", { view: changed }),
      get("/containers/chg/export", {
        view: (answer) =>
          (entries(answer) as string[]).filter((line) => !/^(bin|dev|etc)\/|^\.dockerenv/.test(line)),
      }),
      gone("chg"),
    ],
  },
];

/** In no order. */
function changed({ body }: { readonly body: Buffer }): unknown {
  const list = JSON.parse(body.toString()) as { readonly Path: string }[] | null;
  return list?.sort((a, b) => (a.Path < b.Path ? -1 : 1));
}

/** A tar with one entry of no content. */
function ONE(name: string, type = "0"): Buffer {
  const tar = Buffer.alloc(10240);
  tar.write(name, 0);
  tar.write(["0000644", "0001750", "0000035", "00000000000", "00000000000", "       "].join("\x00"), 100);
  tar.write(` ${type}`, 155);
  tar.write(["ustar", "00"].join("\x00"), 257);
  let sum = 0;
  for (let at = 0; at < 512; at++) sum += tar[at]!;
  tar.write(`${sum.toString(8).padStart(6, "0")}\x00 `, 148);
  return tar;
}

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

import { type Case, create, del, get, gone, head, post, put } from "../table.ts";
import { tarOf } from "../tar.ts";

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
      put("/containers/in/archive?path=/tmp", { body: tarOf("new") }),
      head("/containers/in/archive?path=/tmp/new", { view: pathStat }),
      put("/containers/in/archive?path=/tmp/new", { body: tarOf("x") }),
      put("/containers/in/archive?path=/nowhere", { body: tarOf("x") }),
      put("/containers/in/archive", { body: tarOf("x"), free: ["message"] }),
      put("/containers/in/archive?path=/tmp&noOverwriteDirNonDir=1", { body: tarOf("new/", "5") }),
      put("/containers/in/archive?path=/tmp", { body: tarOf("/absolute") }),
      head("/containers/in/archive?path=/absolute", { view: pathStat }),
      head("/containers/in/archive?path=/tmp/absolute", { view: pathStat }),
      put("/containers/in/archive?path=/tmp", { body: Buffer.alloc(0) }),
      put("/containers/in/archive?path=/tmp"),
      put("/containers/in/archive?path=/vol", { body: tarOf("in-volume") }),
      put("/containers/in/archive?path=/tmp&copyUIDGID=1", { body: tarOf("owned") }),
      head("/containers/in/archive?path=/tmp/owned", { view: pathStat }),
      get("/containers/in/changes", { view: changed }),
      post("/containers/in/start", { silent: true }),
      put("/containers/in/archive?path=/tmp", { body: tarOf("running") }),
      get("/containers/in/changes", { view: changed }),
      gone("in"),
    ],
  },
  ...["", "5:6", "7"].map(
    (user): Case => ({
      name: `owners of what is put into a container of ${user || "nobody in particular"}`,
      noEvents: true,
      steps: [
        create("in", { User: user }),
        ...["", "&copyUIDGID=1", "&copyUIDGID=true", "&copyUIDGID=0"].flatMap((query) => [
          put(`/containers/in/archive?path=/tmp${query}`, { body: tarOf("owned") }),
          get("/containers/in/archive?path=/tmp/owned", { view: entries }),
        ]),
        gone("in"),
      ],
    }),
  ),
  {
    name: "archive into what is read only",
    steps: [
      create("ro", {}, { ReadonlyRootfs: true, Binds: ["ro-vol:/vol", "ro-vol2:/vol2:ro"] }),
      put("/containers/ro/archive?path=/tmp", { body: tarOf("x") }),
      put("/containers/ro/archive?path=/vol", { body: tarOf("x") }),
      put("/containers/ro/archive?path=/vol2", { body: tarOf("x") }),
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

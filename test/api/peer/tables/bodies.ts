import { type Case, get, gone, IMAGE, post } from "../table.ts";
import { INSPECT } from "./places.ts";

/** Requests that take JSON; nothing of what they name is there. */
const PLACES = [
  "/containers/create",
  "/containers/nobody/exec",
  "/containers/nobody/update",
  "/exec/nobody/start",
  "/volumes/create",
  "/networks/create",
  "/networks/bridge/connect",
  "/networks/bridge/disconnect",
  "/commit?container=nobody",
];

/** What every parser of Go's says of them, the older and the newer one. */
const BODIES = [
  "{invalid json",
  "{} trailing content",
  "  ",
  "{",
  '{"a":1,}',
  '{"a" 1}',
  '{"a":01}',
  '{"a":tru}',
  '{"a":nul}',
  '{"a":-}',
  '{"a":1 "b":2}',
  '{"a":[1 2]}',
  "{'a':1}",
  "+1",
];

const TYPES = [
  "text/plain",
  "application/json; charset=utf-8",
  "application/json;",
  "APPLICATION/JSON",
  "application/xml",
  "text/json",
  "json",
  "",
  "application/json; charset",
  "application/x-www-form-urlencoded",
];

/** An empty volume is made by some of them, with a name by chance. */
const made = ({ status, body }: { readonly status: number; readonly body: Buffer }): unknown =>
  status === 201 ? status : body.toString();

export const bodies: readonly Case[] = [
  {
    name: "what is no JSON is said before anything else",
    noEvents: true,
    steps: [
      ...PLACES.flatMap((path) => [
        // A commit takes no JSON at all for none.
        ...BODIES.filter((body) => body.trim() !== "" || !path.startsWith("/commit")).map((body) =>
          post(path, { body }),
        ),
        post(path, { view: made }),
      ]),
      post("/volumes/prune", { silent: true }),
    ],
  },
  {
    name: "the type of a body",
    noEvents: true,
    steps: [
      ...PLACES.flatMap((path) => [
        ...TYPES.map((type) => post(path, { body: "{}", sent: { "Content-Type": type }, view: made })),
        ...TYPES.map((type) => post(path, { sent: { "Content-Type": type }, view: made })),
      ]),
      post("/volumes/prune", { silent: true }),
    ],
  },
  {
    name: "null is nothing, and a text is a list of one",
    noEvents: true,
    steps: [
      {
        Env: null,
        Labels: null,
        Volumes: null,
        ExposedPorts: null,
        Cmd: null,
        Entrypoint: null,
        OnBuild: null,
        User: null,
        Tty: null,
        StopTimeout: null,
        Healthcheck: null,
        HostConfig: {
          Binds: null,
          Links: null,
          CapAdd: null,
          PortBindings: null,
          RestartPolicy: null,
          LogConfig: null,
          Mounts: null,
          Ulimits: null,
          Devices: null,
          Sysctls: null,
          Tmpfs: null,
          Init: null,
          PidsLimit: null,
          OomKillDisable: null,
          Memory: null,
          Privileged: null,
          IpcMode: null,
          NetworkMode: null,
        },
        NetworkingConfig: null,
      },
      { Domainname: "a", Hostname: "b", HostConfig: { CapAdd: "ALL", CapDrop: "MKNOD" } },
      { Cmd: "a b" },
      { Entrypoint: "x y" },
      { Labels: { a: null } },
    ].flatMap((body) => [
      post("/containers/create?name=bodied", { body: { Image: IMAGE, ...body } }),
      get("/containers/bodied/json", { free: INSPECT }),
      gone("bodied"),
    ]),
  },
];

import { type Case, create, del, get, gone, IMAGE, post, scene } from "../table.ts";
import { INSPECT } from "./places.ts";

const filter = (value: object): string => encodeURIComponent(JSON.stringify(value));

export const volumes: readonly Case[] = [
  {
    name: "create, inspect, remove",
    steps: [
      post("/volumes/create", { body: { Name: "one" } }),
      post("/volumes/create", { body: { Name: "one" } }),
      post("/volumes/create", { body: { Name: "two", Labels: { a: "b" }, Driver: "local", DriverOpts: {} } }),
      post("/volumes/create", { body: {}, keep: ["none", "Name"] }),
      post("/volumes/create", { keep: ["none2", "Name"] }),
      post("/v1.24/volumes/create", { body: { Name: "two" } }),
      get("/volumes/one"),
      get("/volumes/two"),
      get("/volumes/{none}"),
      get("/volumes/nothing"),
      get("/volumes/a%2Fb"),
      post("/volumes/create", { body: { Name: "x" } }),
      post("/volumes/create", { body: { Name: "a/b" } }),
      post("/volumes/create", { body: { Name: "../x" } }),
      post("/volumes/create", { body: { Name: "three", Driver: "nothing" } }),
      post("/volumes/create", { body: { Name: "three", DriverOpts: { nonsense: "1" } } }),
      post("/volumes/create", { body: { Name: "three", DriverOpts: { type: "tmpfs" } } }),
      post("/volumes/create", { body: { Name: 1 }, free: ["message"] }),
      post("/volumes/create", { body: "{", free: ["message"] }),
      del("/volumes/one"),
      del("/volumes/one"),
      del("/volumes/one?force=1"),
      del("/volumes/two"),
      del("/volumes/{none}"),
      del("/volumes/{none2}"),
    ],
  },
  {
    name: "list",
    steps: [
      post("/volumes/create", { body: { Name: "la", Labels: { k: "v" } }, silent: true }),
      post("/volumes/create", { body: { Name: "lb" }, silent: true }),
      ...[
        "",
        `?filters=${filter({ name: ["l"] })}`,
        `?filters=${filter({ label: ["k"] })}`,
        `?filters=${filter({ label: ["k=w"] })}`,
        `?filters=${filter({ driver: ["local"] })}`,
        `?filters=${filter({ driver: ["x"] })}`,
        `?filters=${filter({ dangling: ["true"] })}`,
        `?filters=${filter({ dangling: ["false"] })}`,
        `?filters=${filter({ dangling: ["x"] })}`,
        `?filters=${filter({ nonsense: ["x"] })}`,
        "?filters=x",
      ].map((query) => get(`/volumes${query}`, { view: sorted })),
      del("/volumes/la", { silent: true }),
      del("/volumes/lb", { silent: true }),
    ],
  },
  {
    name: "in use",
    steps: [
      scene(
        "v-user",
        { Volumes: { "/anonymous": {} } },
        { Binds: ["v-named:/named:ro"], Mounts: [{ Type: "volume", Source: "v-mount", Target: "/mount" }] },
      ),
      del("/volumes/v-named"),
      del("/volumes/v-named?force=1"),
      post("/containers/v-user/start"),
      post("/containers/v-user/stop?t=0"),
      gone("v-user"),
      get("/volumes/v-named"),
      del("/volumes/v-named"),
      del("/volumes/v-mount"),
    ],
  },
  {
    name: "prune",
    steps: [
      post("/volumes/create", { body: { Name: "pa" }, silent: true }),
      post("/volumes/create", { body: {}, silent: true }),
      post(`/volumes/prune?filters=${filter({ nonsense: ["x"] })}`),
      post(`/volumes/prune?filters=${filter({ label: ["x"] })}`),
      post(`/volumes/prune?filters=${filter({ all: ["x"] })}`),
      post("/volumes/prune"),
      post("/volumes/prune"),
      post("/v1.41/volumes/prune"),
      post("/volumes/create", { body: { Name: "pb" }, silent: true }),
      post(`/volumes/prune?filters=${filter({ all: ["1"] })}`),
    ],
  },
  {
    name: "a bind of the engine's own directory, of what is above it, of a part of it",
    noEvents: true,
    steps: [
      get("/info", { keep: ["root", "DockerRootDir"], silent: true }),
      ...["/", "{root}", "{root}/volumes"].flatMap((Source) => [
        ...[
          { Binds: [`${Source}:/x`] },
          { Binds: [`${Source}:/x:ro,rslave`] },
          { Binds: [`${Source}:/x:rshared`] },
          { Mounts: [{ Type: "bind", Source, Target: "/x" }] },
          { Mounts: [{ Type: "bind", Source, Target: "/x", BindOptions: { NonRecursive: true } }] },
        ].flatMap((host) => [
          create("own", {}, host),
          get("/containers/own/json", { free: INSPECT }),
          gone("own"),
        ]),
        ...["private", "rprivate", "shared", "slave"].flatMap((Propagation) => [
          create("own", {}, { Binds: [`${Source}:/x:${Propagation}`] }),
          create(
            "own",
            {},
            { Mounts: [{ Type: "bind", Source, Target: "/x", BindOptions: { Propagation } }] },
          ),
        ]),
      ]),
      create("own", {}, { Binds: ["/:/x"] }),
      // Where nothing is told of mounts, the bind is a copy like any other.
      post("/containers/own/start"),
      gone("own"),
    ],
  },
  {
    name: "update belongs to clusters",
    steps: [
      {
        ...post("/volumes/x?version=1", { body: {} }),
        request: { method: "PUT", path: "/volumes/x?version=1", body: {} },
      },
    ],
  },
  {
    name: "the mounts of a container",
    steps: [
      post("/containers/create?name=mounts", {
        body: {
          Image: IMAGE,
          Volumes: { "/k": {} },
          HostConfig: {
            NetworkMode: "none",
            Binds: ["/opt:/a", "/opt:/b:rw,z", "mv1:/c", "mv2:/d:ro", "mv3:/e:nocopy"],
            Mounts: [
              { Type: "bind", Source: "/opt", Target: "/f", ReadOnly: true },
              { Type: "volume", Source: "mv4", Target: "/g" },
              { Type: "volume", Target: "/h" },
              { Type: "tmpfs", Target: "/i", TmpfsOptions: { SizeBytes: 100000 } },
              {
                Type: "volume",
                Target: "/j",
                Source: "mv5",
                ReadOnly: true,
                VolumeOptions: { NoCopy: true },
              },
            ],
          },
        },
      }),
      get("/containers/mounts/json", { view: ({ body }) => mountsOf(body) }),
      gone("mounts"),
      ...[1, 2, 3, 4, 5].map((n) => del(`/volumes/mv${n}`)),
    ],
    noEvents: true,
  },
  {
    name: "mounts that are refused",
    steps: [
      ["/tmp"],
      ["a:b:c:d"],
      ["/tmp:/x:nonsense"],
      ["/tmp:relative"],
      ["/tmp:/"],
      ["x:/y"],
      ["/a:/b", "/c:/b"],
      ["a/b:/c"],
      [":/x"],
    ].map((Binds) =>
      post("/containers/create?name=refused-mount", {
        body: { Image: IMAGE, HostConfig: { NetworkMode: "none", Binds } },
      }),
    ),
  },
];

function mountsOf(body: Buffer): unknown {
  const { Mounts } = JSON.parse(body.toString()) as {
    Mounts: { Source: string; Name?: string; Destination: string }[];
  };
  return Mounts.map(({ Source, Name, ...rest }) => ({
    ...rest,
    source: Source === "/tmp" || Source === "" ? Source : "a path",
    name: Name?.length === 64 ? "an id" : Name,
  })).sort((a, b) => (a.Destination < b.Destination ? -1 : 1));
}

function sorted({ body }: { readonly body: Buffer }): unknown {
  const { Volumes, ...rest } = JSON.parse(body.toString()) as { Volumes?: { Name: string }[] | null };
  const names = Volumes?.map((volume) => ({ ...volume, Mountpoint: "", CreatedAt: "" })).sort((a, b) =>
    a.Name < b.Name ? -1 : 1,
  );
  return { Volumes: names ?? Volumes, ...rest };
}

import { type Case, del, get, gone, IMAGE, post, scene } from "../table.ts";
import { tarOf } from "../tar.ts";

const filter = (value: object): string => encodeURIComponent(JSON.stringify(value));

/** The drivers differ; cais has one image that is built in. */
const INSPECT = ["-GraphDriver*", "Metadata.LastTagTime", "DockerVersion", "RepoDigests"];
const list = (path: string, free: readonly string[] = []) =>
  get(path, { free, view: ({ body }) => withoutHost(JSON.parse(body.toString())) });

function withoutHost(list: unknown): unknown {
  if (!Array.isArray(list)) return list;
  return list
    .filter(({ RepoTags }) => !RepoTags?.includes("host:latest"))
    .map(({ Created, Id, ParentId, ...rest }) => ({
      ...rest,
      Created: typeof Created,
      Id: Id.length,
      ParentId: ParentId.length,
    }));
}

const untagged = ({ body }: { readonly body: Buffer }): unknown =>
  (JSON.parse(body.toString()) as { readonly Untagged?: string }[]).map?.((one) =>
    Object.entries(one).map(([key, value]) => (key === "Untagged" ? `${key} ${value}` : key)),
  ) ?? body.toString();

/** The names in a saved archive. */
const savedTags = ({ body }: { readonly body: Buffer }): unknown =>
  /"RepoTags":(\[[^\]]*\]|null)/.exec(body.toString("latin1"))?.[1];

export const images: readonly Case[] = [
  {
    name: "list",
    steps: [
      list("/images/json"),
      list("/v1.24/images/json"),
      list("/v1.43/images/json"),
      list("/images/json?all=1"),
      list("/images/json?shared-size=1"),
      list("/images/json?digests=1"),
      list("/images/json?manifests=1"),
      list(`/images/json?filters=${filter({ reference: ["cais-*"] })}`),
      list(`/images/json?filters=${filter({ reference: ["nothing"] })}`),
      list(`/images/json?filters=${filter({ label: ["from=image"] })}`),
      list(`/images/json?filters=${filter({ label: ["from=other"] })}`),
      list(`/images/json?filters=${filter({ dangling: ["true"] })}`),
      list(`/images/json?filters=${filter({ dangling: ["x"] })}`),
      list(`/images/json?filters=${filter({ before: [IMAGE] })}`),
      list(`/images/json?filters=${filter({ since: ["nothing"] })}`),
      list(`/images/json?filters=${filter({ until: ["x"] })}`),
      list(`/images/json?filters=${filter({ nonsense: ["x"] })}`),
      list("/images/json?filters=x"),
      list("/v1.24/images/json?filter=cais-peer"),
      scene("dangles"),
      post("/commit?container=dangles", { body: {}, keep: ["nameless", "Id"] }),
      list(`/images/json?filters=${filter({ dangling: ["true"] })}`),
      list(`/v1.42/images/json?filters=${filter({ dangling: ["true"] })}`),
      list(`/v1.43/images/json?filters=${filter({ dangling: ["true"] })}`),
      gone("dangles"),
      del("/images/{nameless}", { bodyless: true }),
    ],
  },
  {
    name: "inspect and history",
    steps: [
      get(`/images/${IMAGE}/json`, { free: INSPECT }),
      get(`/v1.24/images/${IMAGE}/json`, { free: INSPECT }),
      get(`/v1.44/images/${IMAGE}/json`, { free: INSPECT }),
      get(`/v1.49/images/${IMAGE}/json`, { free: INSPECT }),
      get(`/images/${IMAGE}/history`),
      get("/images/nothing/json"),
      get("/images/nothing/history"),
      get("/images/Bad_Name/json"),
      get("/images/library%2Fnothing:1/json"),
      get("/images/a/b/c/json"),
      get(`/images/sha256:${"0".repeat(64)}/json`),
      get("/images/zzzzzzzzzzzz/json"),
      ...["json", "history", "get"].flatMap((what) => [
        get(`/images/${IMAGE}/${what}?platform=x`),
        get(`/images/${IMAGE}/${what}?platform=${filter({ os: "linux", architecture: "arm64" })}`),
      ]),
      get(`/images/${IMAGE}/json?manifests=1&platform=${filter({ os: "linux", architecture: "amd64" })}`),
      get(`/v1.48/images/${IMAGE}/json?platform=x`, { free: INSPECT }),
      del(`/images/${IMAGE}?platforms=${filter({ os: "linux", architecture: "arm64" })}`),
    ],
  },
  {
    name: "tag and remove",
    steps: [
      post(`/images/${IMAGE}/tag?repo=again&tag=2`),
      post(`/images/${IMAGE}/tag?repo=again&tag=2`),
      post(`/images/${IMAGE}/tag?repo=again`),
      post(`/images/${IMAGE}/tag?repo=registry.example:5000/a/b&tag=v1`),
      post(`/images/${IMAGE}/tag?repo=Bad`),
      post(`/images/${IMAGE}/tag?repo=sha256`),
      post(`/images/${IMAGE}/tag?repo=again&tag=bad!tag`),
      post("/images/nothing/tag?repo=again"),
      get("/images/again:2/json", { free: INSPECT }),
      del("/images/again"),
      del("/images/again:2?noprune=1"),
      del("/images/again:2"),
      del("/images/registry.example:5000/a/b:v1"),
      del("/images/nothing"),
      del("/images/Bad!"),
    ],
  },
  {
    name: "remove what is used",
    steps: [
      scene("uses"),
      del(`/images/${IMAGE}`),
      post("/containers/uses/start", { silent: true }),
      del(`/images/${IMAGE}`),
      del(`/images/{image}`),
      gone("uses"),
    ],
    noEvents: true,
  },
  {
    name: "commit",
    steps: [
      scene("commits", { Cmd: ["sh", "-c", "echo x > /tmp/x"], Labels: { own: "1" } }),
      post("/containers/commits/start", { silent: true }),
      post("/containers/commits/wait", { silent: true }),
      post("/commit?container=commits&repo=committed&tag=1&comment=why&author=me", {
        body: {},
        keep: ["first", "Id"],
      }),
      get("/images/committed:1/json", { free: [...INSPECT, "Size", "RootFS.Layers"] }),
      get("/v1.44/images/committed:1/json", {
        free: [...INSPECT, "Size", "RootFS.Layers", "-ContainerConfig*", "-Container"],
      }),
      get("/images/committed:1/history", { free: ["[*].Size"] }),
      post("/commit?container=commits&repo=committed&tag=2&pause=0&changes=ENV%20A=b%0ACMD%20%5B%22x%22%5D", {
        body: { User: "www", Cmd: ["y"], Env: ["Z=1"] },
      }),
      get("/images/committed:2/json", { free: [...INSPECT, "Size", "RootFS.Layers"] }),
      post("/commit?container=commits&repo=committed&tag=4&changes=ENV%20Q=1%0AWORKDIR%20rel", {
        body: "null",
      }),
      get("/images/committed:4/json", { free: [...INSPECT, "Size", "RootFS.Layers"] }),
      del("/images/committed:4", { view: untagged }),
      post("/commit?container=commits&repo=committed&tag=3&changes=RUN%20x", { body: {} }),
      post("/commit?container=commits&repo=committed&tag=3&changes=NONSENSE%20x", { body: {} }),
      post("/commit?container=commits&repo=Bad", { body: {} }),
      post("/commit?container=nothing", { body: {} }),
      post("/commit", { body: {} }),
      post("/commit?container=commits", { silent: true }),
      gone("commits"),
      del("/images/committed:2", { view: untagged }),
      del("/images/committed:1", { view: untagged }),
      post(`/images/prune?filters=${filter({ dangling: ["true"] })}`, { bodyless: true }),
    ],
    noEvents: true,
  },
  {
    name: "commit and its events",
    steps: [
      scene("tells"),
      post("/commit?container=tells&repo=told&tag=1&comment=why"),
      post("/containers/tells/start"),
      post("/commit?container=tells&repo=told&tag=2"),
      post("/commit?container=tells&repo=told&tag=3&pause=0"),
      post("/containers/tells/pause"),
      post("/commit?container=tells&repo=told&tag=4"),
      get("/containers/tells/json", { view: ({ body }) => JSON.parse(body.toString()).State.Status }),
      ...[2, 3, 4].map((tag) => del(`/images/told:${tag}`, { view: untagged })),
      gone("tells"),
      post("/images/told:1/tag?repo=told2"),
      del("/images/told2"),
      del("/images/told:1", { view: untagged }),
    ],
  },
  {
    name: "import",
    steps: [
      post("/images/create?fromSrc=-&repo=imported&tag=1&message=hello&changes=CMD%20x", {
        body: tarOf("file"),
      }),
      get("/images/imported:1/json", { free: [...INSPECT, "Size"] }),
      get("/images/imported:1/history", { free: ["[*].Size"] }),
      post("/images/create?fromSrc=-&repo=Bad", { body: tarOf("file") }),
      post("/images/create?fromSrc=-&repo=imported&changes=NONSENSE", { body: tarOf("file") }),
      del("/images/imported:1", { view: untagged }),
    ],
  },
  {
    name: "load and save",
    steps: [
      get("/images/nothing/get"),
      // A name without a tag is all of its tags.
      get("/images/cais-peer/get", { view: savedTags }),
      get(`/images/${IMAGE}/get`, { view: savedTags }),
      get("/images/get?names=nothing"),
      post("/images/load", { body: Buffer.from("this is no tar"), view: firstWords }),
      post("/images/load?quiet=1", { body: Buffer.alloc(1024), view: firstWords }),
      post("/images/load?platform=x%2Fy%2Fz%2Fw", { body: Buffer.alloc(1024), view: firstWords }),
    ],
    noEvents: true,
  },
  {
    name: "pull and push without a registry",
    steps: [
      post("/images/create?fromImage=Bad%20Name"),
      post("/images/nothing/push"),
      post("/images/nothing/push", { sent: { "X-Registry-Auth": "e30=" } }),
      get("/distribution/Bad!/json"),
    ],
    noEvents: true,
  },
  {
    name: "prune",
    steps: [
      post(`/images/prune?filters=${filter({ nonsense: ["x"] })}`),
      post(`/images/prune?filters=${filter({ dangling: ["x"] })}`),
      post(`/images/prune?filters=${filter({ until: ["x"] })}`),
      post(`/images/prune?filters=${filter({ label: ["never"] })}`),
      post("/images/prune?filters=x"),
    ],
  },
];

/** Sentences about damaged archives are each engine's own. */
function firstWords({ body }: { readonly body: Buffer }): unknown {
  return Object.keys(JSON.parse(body.toString().split("\n")[0] ?? "{}") as object);
}

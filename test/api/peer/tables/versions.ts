import { type Case, create, del, get, gone, IMAGE, post } from "../table.ts";
import { INSPECT } from "./places.ts";

/** Each version in which something of a container came or went. */
const VERSIONS = [
  "1.24",
  "1.27",
  "1.28",
  "1.39",
  "1.40",
  "1.41",
  "1.42",
  "1.43",
  "1.44",
  "1.45",
  "1.46",
  "1.47",
  "1.48",
  "1.51",
];

/** Everything that an older version does not know, or takes otherwise. */
const NEW = {
  Image: IMAGE,
  Cmd: ["sleep", "100"],
  MacAddress: "02:42:ac:11:00:99",
  Healthcheck: { Test: ["CMD", "true"], StartInterval: 1e9, Interval: 1e9 },
  HostConfig: {
    KernelMemory: 0,
    Annotations: { a: "b" },
    NetworkMode: "default",
    CgroupnsMode: "private",
    ConsoleSize: [3, 4],
    IpcMode: "",
    PidsLimit: -1,
    Mounts: [
      { Type: "bind", Source: "/opt", Target: "/o", ReadOnly: true, BindOptions: { NonRecursive: true } },
      { Type: "bind", Source: "/opt", Target: "/p", ReadOnly: true },
      { Type: "bind", Source: "/opt", Target: "/q", BindOptions: { CreateMountpoint: true } },
      { Type: "tmpfs", Target: "/t", TmpfsOptions: { Options: [["noexec"]] } },
    ],
  },
};

const on = (network: string, endpoint: object): object => ({
  Image: IMAGE,
  HostConfig: { NetworkMode: network },
  NetworkingConfig: { EndpointsConfig: { [network]: endpoint } },
});

export const versions: readonly Case[] = [
  ...VERSIONS.map(
    (version): Case => ({
      name: `a container of API ${version}`,
      noEvents: true,
      steps: [
        post(`/v${version}/containers/create?name=aged`, { body: NEW }),
        get("/containers/aged/json", { free: INSPECT }),
        get(`/v${version}/containers/aged/json`, { free: INSPECT }),
        get(`/v${version}/containers/json?all=1`),
        gone("aged"),
        ...[
          { BindOptions: { ReadOnlyForceRecursive: true }, Type: "bind", Source: "/opt", ReadOnly: true },
          { VolumeOptions: { Subpath: "x" }, Type: "volume", Source: "aged" },
        ].flatMap((mount) => [
          post(`/v${version}/containers/create?name=aged`, {
            body: {
              Image: IMAGE,
              HostConfig: {
                NetworkMode: "none",
                Mounts: [{ Target: "/x", ...mount }],
              },
            },
            // A kernel or a volume may be in the way of what the version does know.
            bodyless: Number(version.slice(2)) >= 44,
          }),
          gone("aged"),
        ]),
        post(`/v${version}/containers/create?name=aged`, {
          body: on("bridge", { GwPriority: 3, MacAddress: "02:42:ac:11:00:98" }),
        }),
        get("/containers/aged/json", {
          view: ({ body }) =>
            (JSON.parse(body.toString()) as { NetworkSettings: { Networks: object } }).NetworkSettings
              .Networks,
        }),
        gone("aged"),
        post("/networks/create", {
          body: { Name: "aged", IPAM: { Config: [{ Subnet: "10.99.88.0/24" }] } },
          silent: true,
        }),
        create("aged", { Hostname: "host" }, { NetworkMode: "aged" }),
        get(`/v${version}/containers/aged/json`, { free: INSPECT }),
        get(`/v${version}/networks?filters=${encodeURIComponent('{"name":["aged"]}')}`),
        gone("aged"),
        del("/networks/aged"),
        del("/volumes/aged?force=1", { silent: true }),
      ],
    }),
  ),
  {
    name: "two networks at once are there since API 1.44",
    noEvents: true,
    steps: [
      post("/v1.43/containers/create?name=aged", {
        body: { Image: IMAGE, NetworkingConfig: { EndpointsConfig: { none: {}, bridge: {} } } },
        // Docker names them in any order.
        free: ["message"],
      }),
    ],
  },
];

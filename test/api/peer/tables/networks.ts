import { type Case, create, del, get, gone, IMAGE, post, scene } from "../table.ts";

const filter = (value: object): string => encodeURIComponent(JSON.stringify(value));

/** Addresses are given by each engine's own pools where none are asked for. */
const POOL = { IPAM: { Config: [{ Subnet: "10.99.1.0/24", Gateway: "10.99.1.254" }] } };

export const networks: readonly Case[] = [
  {
    name: "create, inspect, remove",
    steps: [
      post("/networks/create", {
        body: {
          Name: "peer-a",
          ...POOL,
          Labels: { a: "b" },
          Options: { "com.docker.network.bridge.enable_icc": "true" },
        },
        keep: ["id", "Id"],
      }),
      post("/networks/create", { body: { Name: "peer-a" } }),
      get("/networks/peer-a"),
      get("/networks/{id}"),
      get("/v1.24/networks/peer-a"),
      get("/v1.43/networks/peer-a"),
      get("/networks/peer-a?verbose=true"),
      get("/networks/peer-a?scope=swarm"),
      get("/networks/nothing"),
      post("/networks/create", { body: {} }),
      post("/networks/create", { body: { Name: "" } }),
      post("/networks/create", { body: { Name: "peer-b", Driver: "nonsense" } }),
      post("/networks/create", { body: { Name: "peer-b", IPAM: { Config: [{ Subnet: "nonsense" }] } } }),
      post("/networks/create", { body: { Name: "peer-b", IPAM: { Config: [{ Subnet: "10.99.1.0/25" }] } } }),
      post("/networks/create", { body: { Name: "bridge" } }),
      post("/networks/create", { body: { Name: "host", Driver: "host" } }),
      post("/networks/create", { body: "{", free: ["message"] }),
      post("/networks/create", {
        body: { Name: "peer-i", Internal: true, IPAM: { Config: [{ Subnet: "10.99.2.0/24" }] } },
      }),
      get("/networks/peer-i"),
      del("/networks/peer-i"),
      del("/networks/peer-a"),
      del("/networks/peer-a"),
      del("/networks/bridge"),
      del("/networks/host"),
      del("/networks/none"),
    ],
  },
  {
    name: "list",
    noEvents: true,
    steps: [
      post("/networks/create", {
        body: { Name: "peer-l", Labels: { k: "v" }, IPAM: { Config: [{ Subnet: "10.99.3.0/24" }] } },
        silent: true,
      }),
      ...[
        {},
        { name: ["peer"] },
        { driver: ["bridge"] },
        { driver: ["null"] },
        { label: ["k=v"] },
        { label: ["k=w"] },
        { type: ["custom"] },
        { type: ["builtin"] },
        { type: ["nonsense"] },
        { scope: ["local"] },
        { scope: ["swarm"] },
        { dangling: ["true"] },
        { dangling: ["false"] },
        { dangling: ["x"] },
        { nonsense: ["x"] },
      ].map((value) => get(`/networks?filters=${filter(value)}`, { view: names })),
      get("/networks?filters=x"),
      del("/networks/peer-l", { silent: true }),
    ],
  },
  {
    name: "connect and disconnect",
    steps: [
      post("/networks/create", { body: { Name: "peer-c", ...POOL }, silent: true }),
      scene("member", {}, { NetworkMode: "peer-c" }),
      post("/containers/member/start"),
      get("/networks/peer-c", { free: ["Containers.*.MacAddress"] }),
      get("/containers/member/json", { view: settings }),
      get("/containers/json", { view: listed }),
      post("/networks/create", {
        body: { Name: "peer-d", IPAM: { Config: [{ Subnet: "10.99.4.0/24" }] } },
        silent: true,
      }),
      post("/networks/peer-d/connect", {
        body: {
          Container: "member",
          EndpointConfig: { Aliases: ["other"], IPAMConfig: { IPv4Address: "10.99.4.77" } },
        },
      }),
      get("/containers/member/json", { view: settings }),
      post("/networks/peer-d/connect", { body: { Container: "member" } }),
      post("/networks/peer-d/connect", { body: { Container: "nobody" } }),
      post("/networks/nothing/connect", { body: { Container: "member" } }),
      post("/networks/peer-d/connect", { body: {} }),
      del("/networks/peer-d"),
      post("/networks/peer-d/disconnect", { body: { Container: "member" } }),
      post("/networks/peer-d/disconnect", { body: { Container: "member" } }),
      post("/networks/peer-d/disconnect", { body: { Container: "nobody" } }),
      post("/networks/nothing/disconnect", { body: { Container: "member" } }),
      get("/containers/member/json", { view: settings }),
      gone("member"),
      del("/networks/peer-c"),
      post("/networks/prune"),
      post(`/networks/prune?filters=${filter({ nonsense: ["x"] })}`),
    ],
  },
  {
    name: "a network that goes before its container",
    noEvents: true,
    steps: [
      post("/networks/create", { body: { Name: "peer-g", ...POOL }, silent: true }),
      post("/containers/create?name=left", {
        body: { Image: IMAGE, Cmd: ["sleep", "100"], HostConfig: { NetworkMode: "peer-g" } },
      }),
      del("/networks/peer-g"),
      post("/containers/left/start"),
      post("/networks/nothing/disconnect", { body: { Container: "left" } }),
      post("/networks/peer-g/disconnect", { body: { Container: "left" } }),
      post("/networks/peer-g/disconnect", { body: { Container: "left" } }),
      get("/containers/left/json", { view: settings }),
      gone("left"),
    ],
  },
  {
    name: "create on networks",
    steps: [
      post("/networks/create", { body: { Name: "peer-n", ...POOL }, silent: true }),
      post("/containers/create?name=two", {
        body: {
          Image: IMAGE,
          Cmd: ["sleep", "100"],
          HostConfig: { NetworkMode: "peer-n" },
          NetworkingConfig: {
            EndpointsConfig: {
              "peer-n": {
                Aliases: ["first"],
                IPAMConfig: { IPv4Address: "10.99.1.9" },
                MacAddress: "02:42:0a:63:01:09",
              },
            },
          },
        },
      }),
      get("/containers/two/json", { view: settings }),
      post("/containers/two/start"),
      get("/containers/two/json", { view: settings }),
      post("/containers/two/stop?t=0"),
      // cais goes on telling the address that was asked for.
      get("/containers/two/json", { view: settings, free: ["-networks.peer-n.MacAddress"] }),
      gone("two"),
      del("/networks/peer-n"),
    ],
    noEvents: true,
  },
  {
    name: "ports",
    noEvents: true,
    steps: [
      create(
        "ports",
        { ExposedPorts: { "81/tcp": {}, "82/udp": {} } },
        {
          NetworkMode: "bridge",
          PortBindings: {
            "81/tcp": [{ HostPort: "18081" }],
            "82/udp": [{ HostIp: "127.0.0.1", HostPort: "18082" }],
          },
        },
      ),
      get("/containers/ports/json", { view: portsOf }),
      post("/containers/ports/start"),
      get("/containers/ports/json", { view: portsOf }),
      get("/containers/json", {
        view: ({ body }) =>
          (JSON.parse(body.toString()) as { Ports: { PrivatePort: number; IP?: string }[] }[]).map(
            ({ Ports }) =>
              Ports.sort((a, b) => a.PrivatePort - b.PrivatePort || ((a.IP ?? "") < (b.IP ?? "") ? -1 : 1)),
          ),
      }),
      get(`/containers/json?filters=${filter({ publish: ["18081"] })}`, {
        view: ({ body }) => (JSON.parse(body.toString()) as object[]).length,
      }),
      get(`/containers/json?filters=${filter({ expose: ["81"] })}`, {
        view: ({ body }) => (JSON.parse(body.toString()) as object[]).length,
      }),
      create("ports3", {}, { NetworkMode: "bridge", PortBindings: { nonsense: [{}] } }),
      create("ports3", {}, { NetworkMode: "bridge", PortBindings: { "81/tcp": [{ HostPort: "x" }] } }),
      gone("ports"),
      gone("ports3"),
    ],
  },
];

function names({ body }: { readonly body: Buffer }): unknown {
  const list = JSON.parse(body.toString()) as { readonly Name: string }[] | object;
  return Array.isArray(list) ? list.map(({ Name }) => Name).sort() : list;
}

interface Inspected {
  readonly NetworkSettings: {
    readonly Networks: Record<string, Record<string, unknown>>;
    readonly Ports: unknown;
    readonly [name: string]: unknown;
  };
  readonly HostConfig: { readonly NetworkMode: string; readonly PortBindings: unknown };
}

/** A container's place on its networks, without what is by chance. */
function settings({ body }: { readonly body: Buffer }): unknown {
  const { NetworkSettings, HostConfig } = JSON.parse(body.toString()) as Inspected;
  const kind = (value: unknown): unknown => (value === "" || value === null ? value : typeof value);
  const networks = Object.entries(NetworkSettings.Networks).map(([name, one]) => [
    name,
    {
      ...one,
      NetworkID: kind(one.NetworkID),
      EndpointID: kind(one.EndpointID),
      MacAddress: kind(one.MacAddress),
      DNSNames:
        (one.DNSNames as string[] | null)?.map((each) => (/^[0-9a-f]{12}$/.test(each) ? "id" : each)) ?? null,
    },
  ]);
  const { Networks, SandboxID, SandboxKey, EndpointID, MacAddress, ...rest } = NetworkSettings;
  return {
    networks: Object.fromEntries(networks),
    rest,
    sandbox: [kind(SandboxID), kind(SandboxKey), kind(EndpointID), kind(MacAddress)],
    mode: HostConfig.NetworkMode,
  };
}

function listed({ body }: { readonly body: Buffer }): unknown {
  const list = JSON.parse(body.toString()) as (Inspected & { readonly Ports: unknown })[];
  return list.map(({ NetworkSettings, Ports }) => ({
    networks: Object.keys(NetworkSettings.Networks),
    Ports,
  }));
}

function portsOf({ body }: { readonly body: Buffer }): unknown {
  const { NetworkSettings, HostConfig } = JSON.parse(body.toString()) as Inspected;
  return [NetworkSettings.Ports, HostConfig.PortBindings];
}

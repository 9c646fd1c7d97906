import { type Case, create, del, get, gone, IMAGE, post, scene } from "../table.ts";

/** How containers come to be on networks: what is refused, in which order, and what was there before endpoints. */

const POOL = { IPAM: { Config: [{ Subnet: "10.99.1.0/24", Gateway: "10.99.1.254" }] } };
const network = (name: string, request: object = POOL) =>
  post("/networks/create", { body: { Name: name, ...request }, silent: true });
const connect = (name: string, container: string, EndpointConfig: object = {}) =>
  post(`/networks/${name}/connect`, { body: { Container: container, EndpointConfig } });

const FIRST = "02:42:ac:11:00:42";
const OTHER = "02:42:ac:11:00:43";

/** Ways to ask for an Ethernet address. */
const MACS: readonly object[] = [
  { MacAddress: FIRST },
  { MacAddress: FIRST, HostConfig: { NetworkMode: "default" } },
  { NetworkingConfig: { EndpointsConfig: { bridge: { MacAddress: FIRST } } } },
  on("peer-m", {}, { MacAddress: FIRST }),
  on("peer-m", { MacAddress: FIRST }),
  on("peer-m", { MacAddress: FIRST }, { MacAddress: FIRST }),
  on("peer-m", { MacAddress: FIRST }, { MacAddress: OTHER }),
  { MacAddress: FIRST, HostConfig: { NetworkMode: "host" } },
  { MacAddress: FIRST, HostConfig: { NetworkMode: "none" } },
  { MacAddress: "zz" },
];

function on(name: string, endpoint: object, more: object = {}): object {
  return {
    ...more,
    HostConfig: { NetworkMode: name },
    NetworkingConfig: { EndpointsConfig: { [name]: endpoint } },
  };
}

export const joining: readonly Case[] = [
  {
    name: "whose namespaces a container joins is kept by id",
    noEvents: true,
    steps: [
      create("donor", {}, { IpcMode: "shareable", NetworkMode: "bridge" }, { keep: ["donor", "Id"] }),
      post("/containers/donor/start"),
      ...["donor", "{donor}"].flatMap((one) => [
        create(
          "joined",
          {},
          { NetworkMode: `container:${one}`, PidMode: `container:${one}`, IpcMode: `container:${one}` },
        ),
        get("/containers/joined/json", { view: modes }),
        post("/containers/donor/rename?name=donor2", { silent: true }),
        post("/containers/joined/start"),
        get("/containers/joined/json", { view: modes }),
        gone("joined"),
        post("/containers/donor2/rename?name=donor", { silent: true }),
      ]),
      gone("donor"),
    ],
  },
  ...["1.43", "1.44", "1.51"].map(
    (version): Case => ({
      name: `Ethernet addresses, API ${version}`,
      noEvents: true,
      steps: [
        network("peer-m"),
        ...MACS.flatMap((asked) => [
          post(`/v${version}/containers/create?name=mac`, {
            body: { Image: IMAGE, Cmd: ["true"], ...asked },
          }),
          get(`/v${version}/containers/mac/json`, { view: macs }),
          gone("mac"),
        ]),
        del("/networks/peer-m", { silent: true }),
      ],
    }),
  ),
  {
    name: "what is wrong with an endpoint is told before what is wrong with the container",
    noEvents: true,
    steps: [
      network("peer-j"),
      network("peer-any", {}),
      scene("hosted", {}, { NetworkMode: "host" }),
      scene("lonely"),
      scene("plain", {}, { NetworkMode: "bridge" }),
      ...["stopped", "running"].flatMap((state) => [
        ...(state === "running"
          ? ["hosted", "lonely", "plain"].map((one) => post(`/containers/${one}/start`, { silent: true }))
          : []),
        ...["hosted", "lonely", "plain"].flatMap((one) => [
          connect("bridge", one, { Aliases: ["x"] }),
          connect("host", one, { Aliases: ["x"] }),
          connect("none", one, { Aliases: ["x"] }),
          connect("peer-any", one, { IPAMConfig: { IPv4Address: "10.99.1.3" } }),
          connect("peer-j", one, { IPAMConfig: { IPv4Address: "nonsense", IPv6Address: "10.99.1.3" } }),
          connect("peer-j", one, { IPAMConfig: { IPv6Address: "::ffff:10.99.1.3" } }),
          // Docker lets one on the host's network come to it once more, while it does not run.
          ...(one === "hosted" ? [] : [connect("host", one)]),
        ]),
        connect("peer-j", "lonely"),
        post("/networks/none/disconnect", { body: { Container: "lonely" } }),
        connect("none", "lonely"),
        connect("peer-j", "lonely"),
      ]),
      gone("hosted"),
      gone("lonely"),
      gone("plain"),
      del("/networks/peer-j", { silent: true }),
      del("/networks/peer-any", { silent: true }),
    ],
  },
  {
    name: "IPv4 comes first, and before API 1.48 it cannot be switched off",
    noEvents: true,
    steps: [
      network("peer-o", {
        EnableIPv6: true,
        IPAM: { Config: [{ Subnet: "fd00:99::/64" }, { Subnet: "10.99.1.0/24", IPRange: "10.99.1.128/25" }] },
      }),
      get("/networks/peer-o"),
      del("/networks/peer-o"),
      ...["1.46", "1.47", "1.48"].flatMap((version) => [
        post(`/v${version}/networks/create`, {
          body: {
            Name: "peer-o",
            EnableIPv4: false,
            EnableIPv6: true,
            IPAM: { Config: [{ Subnet: "10.99.1.0/24" }, { Subnet: "fd00:99::/64" }] },
          },
        }),
        get("/networks/peer-o"),
        del("/networks/peer-o"),
      ]),
    ],
  },
  {
    name: "links lead to the default network only",
    noEvents: true,
    steps: [
      network("peer-l"),
      scene("away", {}, { NetworkMode: "peer-l" }),
      scene("hosted", {}, { NetworkMode: "host" }),
      scene("along", {}, { NetworkMode: "container:hosted" }),
      post("/containers/away/start", { silent: true }),
      ...["hosted", "along", "away"].flatMap((one) => [
        create("linked", {}, { NetworkMode: "bridge", Links: [`${one}:x`] }),
        gone("linked"),
      ]),
      create("linked", {}, { NetworkMode: "bridge", Links: ["away:x"] }),
      post("/containers/linked/start"),
      get("/containers/linked/json", { view: links }),
      gone("linked"),
      create("linked", {}, { NetworkMode: "peer-l", Links: ["away:x"] }),
      get("/containers/linked/json", { view: links }),
      gone("linked"),
      ...["along", "hosted", "away"].map(gone),
      del("/networks/peer-l", { silent: true }),
    ],
  },
];

interface Inspected {
  readonly Config?: { readonly MacAddress?: string };
  readonly HostConfig?: { readonly Links: unknown };
  readonly State?: { readonly Error: string };
  readonly NetworkSettings?: {
    readonly MacAddress?: string;
    readonly Networks: Readonly<Record<string, { readonly MacAddress: string }>>;
  };
}
const parsed = ({ body }: { readonly body: Buffer }): Inspected => JSON.parse(body.toString()) as Inspected;

function modes(answer: { readonly body: Buffer }): unknown {
  const { HostConfig, State } = JSON.parse(answer.body.toString().replace(/[0-9a-f]{64}/g, "id")) as Record<
    string,
    Record<string, unknown>
  >;
  return [HostConfig?.NetworkMode, HostConfig?.PidMode, HostConfig?.IpcMode, State?.Status];
}

function macs(answer: { readonly body: Buffer }): unknown {
  const { Config, NetworkSettings } = parsed(answer);
  const places = Object.entries(NetworkSettings?.Networks ?? {}).map(([name, one]) => [name, one.MacAddress]);
  return [Config?.MacAddress ?? "none", NetworkSettings?.MacAddress, places];
}

function links(answer: { readonly body: Buffer }): unknown {
  const { HostConfig, State } = parsed(answer);
  return [HostConfig?.Links, State?.Error.replace(/[0-9a-f]{64}/, "ID")];
}

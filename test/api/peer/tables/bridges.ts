import { type Case, create, del, get, gone, post } from "../table.ts";

/** Options of bridge networks, and what containers on them get, asked of each kind in the same way. */

const BRIDGE = "com.docker.network.bridge";
const ENDPOINT = "com.docker.network.endpoint";

interface Kind {
  readonly name: string;
  /** The request that makes the network. */
  readonly network: object;
  /** What the container asks of it. */
  readonly endpoint?: object;
}

const KINDS: readonly Kind[] = [
  {
    name: "a range",
    network: { IPAM: { Config: [{ Subnet: "10.99.5.0/24", IPRange: "10.99.5.128/25" }] } },
  },
  {
    name: "a range, and an address outside of it",
    network: { IPAM: { Config: [{ Subnet: "10.99.5.0/24", IPRange: "10.99.5.128/25" }] } },
    endpoint: { IPAMConfig: { IPv4Address: "10.99.5.7" } },
  },
  {
    name: "reserved addresses",
    network: { IPAM: { Config: [{ Subnet: "10.99.5.0/29", AuxiliaryAddresses: { a: "10.99.5.2" } }] } },
  },
  {
    name: "IPv6 only",
    network: { EnableIPv4: false, EnableIPv6: true, IPAM: { Config: [{ Subnet: "fd00:99::/64" }] } },
  },
  {
    name: "IPv6 only, with a pool of IPv4",
    network: {
      EnableIPv4: false,
      EnableIPv6: true,
      IPAM: { Config: [{ Subnet: "10.99.5.0/24" }, { Subnet: "fd00:99::/64" }] },
    },
  },
  {
    name: "both",
    network: {
      EnableIPv6: true,
      IPAM: { Config: [{ Subnet: "10.99.5.0/24" }, { Subnet: "fd00:99::/64" }] },
    },
    endpoint: { IPAMConfig: { IPv6Address: "fd00:99::77" } },
  },
  ...["nat", "nat-unprotected", "routed"].map(
    (mode): Kind => ({
      name: `gateway mode ${mode}`,
      network: {
        IPAM: { Config: [{ Subnet: "10.99.5.0/24" }] },
        Options: { [`${BRIDGE}.gateway_mode_ipv4`]: mode },
      },
    }),
  ),
  {
    name: "routed in IPv6 only",
    network: {
      EnableIPv6: true,
      IPAM: { Config: [{ Subnet: "10.99.5.0/24" }, { Subnet: "fd00:99::/64" }] },
      Options: { [`${BRIDGE}.gateway_mode_ipv6`]: "routed" },
    },
  },
  {
    name: "isolated",
    network: {
      Internal: true,
      IPAM: { Config: [{ Subnet: "10.99.5.0/24" }] },
      Options: { [`${BRIDGE}.gateway_mode_ipv4`]: "isolated" },
    },
  },
  {
    name: "isolated in both",
    network: {
      Internal: true,
      EnableIPv6: true,
      IPAM: { Config: [{ Subnet: "10.99.5.0/31" }, { Subnet: "fd00:99::/64" }] },
      Options: { [`${BRIDGE}.gateway_mode_ipv4`]: "isolated", [`${BRIDGE}.gateway_mode_ipv6`]: "isolated" },
    },
  },
  {
    name: "internal, and no address for the bridge",
    network: {
      Internal: true,
      IPAM: { Config: [{ Subnet: "10.99.5.0/31" }] },
      Options: { [`${BRIDGE}.inhibit_ipv4`]: "true" },
    },
  },
  {
    name: "internal",
    network: { Internal: true, IPAM: { Config: [{ Subnet: "10.99.5.0/24" }] } },
  },
  {
    name: "trusted interfaces and an address of the host",
    network: {
      IPAM: { Config: [{ Subnet: "10.99.5.0/24" }] },
      Options: {
        [`${BRIDGE}.trusted_host_interfaces`]: "eth0:eth1",
        "com.docker.network.host_ipv4": "192.0.2.9",
      },
    },
  },
  {
    name: "link-local addresses",
    network: { EnableIPv6: true, IPAM: { Config: [{ Subnet: "10.99.5.0/24" }, { Subnet: "fd00:99::/64" }] } },
    endpoint: { IPAMConfig: { LinkLocalIPs: ["169.254.7.7", "fe80::254:77"] } },
  },
  ...[{ enable_ipv6: "true" }, { enable_ipv6: "T", enable_ipv4: "0" }].map(
    (families): Kind => ({
      name: `families by options: ${JSON.stringify(families)}`,
      network: {
        IPAM: { Config: [{ Subnet: "fd00:99::/64" }, { Subnet: "10.99.5.0/24" }] },
        Options: Object.fromEntries(
          Object.entries(families).map(([name, value]) => [`com.docker.network.${name}`, value]),
        ),
      },
    }),
  ),
  {
    name: "families by options that are overruled",
    network: {
      EnableIPv4: true,
      EnableIPv6: false,
      IPAM: { Config: [{ Subnet: "10.99.5.0/24" }] },
      Options: { "com.docker.network.enable_ipv4": "false", "com.docker.network.enable_ipv6": "true" },
    },
  },
  {
    name: "a name and settings for the interface",
    network: { IPAM: { Config: [{ Subnet: "10.99.5.0/24" }] } },
    endpoint: {
      DriverOpts: {
        [`${ENDPOINT}.ifname`]: "uplink0",
        [`${ENDPOINT}.sysctls`]: "net.ipv4.conf.IFNAME.log_martians=1,net.ipv4.conf.ifname.forwarding=0",
      },
    },
  },
  {
    name: "an endpoint's options of somebody else",
    network: { IPAM: { Config: [{ Subnet: "10.99.5.0/24" }] } },
    endpoint: { DriverOpts: { key1: "a", "com.example.what": "b" } },
  },
  {
    name: "a prefix of names",
    network: {
      IPAM: { Config: [{ Subnet: "10.99.5.0/24" }] },
      Options: { "com.docker.network.container_iface_prefix": "net" },
    },
  },
];

const REFUSED: Readonly<Record<string, object>> = {
  mode: { Options: { [`${BRIDGE}.gateway_mode_ipv4`]: "nonsense" } },
  isolated: { Options: { [`${BRIDGE}.gateway_mode_ipv4`]: "isolated" } },
  host: { Options: { "com.docker.network.host_ipv4": "nonsense" } },
  binding: { Options: { [`${BRIDGE}.host_binding_ipv4`]: "nonsense" } },
  neither: { EnableIPv4: false },
  "neither-by-option": { Options: { "com.docker.network.enable_ipv4": "false" } },
  family: { Options: { "com.docker.network.enable_ipv6": "maybe" } },
  range: { IPAM: { Config: [{ Subnet: "10.99.5.0/24", IPRange: "10.99.6.0/25" }] } },
};

/** What a container sees of its networks: addresses, the way out, and a setting. */
const LOOK =
  "for i in $(ls /sys/class/net | grep -v lo); do ip -o addr show dev $i scope global | grep -o 'inet6* [^ ]*'; echo $i; done; " +
  "ip route show default; ip -6 route show default | grep -o 'default via [^ ]*'; " +
  "cat /proc/sys/net/ipv4/conf/*/log_martians | tr -d '\\n'";

export const bridges: readonly Case[] = [
  ...KINDS.map(
    ({ name, network, endpoint }): Case => ({
      name,
      noEvents: true,
      steps: [
        post("/networks/create", { body: { Name: "peer-k", ...network } }),
        get("/networks/peer-k"),
        create(
          "kind",
          {
            Cmd: ["sh", "-c", LOOK],
            ...(endpoint && { NetworkingConfig: { EndpointsConfig: { "peer-k": endpoint } } }),
          },
          { NetworkMode: "peer-k", PortBindings: { "80/tcp": [{ HostPort: "18090" }] } },
        ),
        post("/containers/kind/start"),
        post("/containers/kind/wait"),
        get("/containers/kind/logs?stdout=1&stderr=1"),
        gone("kind"),
        create(
          "kind",
          endpoint ? { NetworkingConfig: { EndpointsConfig: { "peer-k": endpoint } } } : {},
          { NetworkMode: "peer-k", PortBindings: { "80/tcp": [{ HostPort: "18090" }] } },
          { silent: true },
        ),
        post("/containers/kind/start"),
        get("/containers/kind/json", { view: addresses }),
        get("/containers/json", { view: ports }),
        gone("kind"),
        del("/networks/peer-k"),
      ],
    }),
  ),
  {
    name: "what cannot be",
    noEvents: true,
    steps: Object.entries(REFUSED).flatMap(([name, request]) => [
      post("/networks/create", { body: { Name: `peer-${name}`, ...request } }),
      del(`/networks/peer-${name}`, { silent: true }),
    ]),
  },
  {
    name: "which network leads everywhere else",
    noEvents: true,
    steps: [
      ...["a", "b", "c"].map((name, index) =>
        post("/networks/create", {
          silent: true,
          body: { Name: `peer-${name}`, IPAM: { Config: [{ Subnet: `10.99.${6 + index}.0/24` }] } },
        }),
      ),
      ...[{}, { "peer-b": 1 }, { "peer-c": 2, "peer-b": 1 }, { "peer-a": -1 }].flatMap((priorities) => [
        create(
          "gateway",
          {
            // Docker gives the interfaces their numbers in any order.
            Cmd: ["sh", "-c", "ip route show default | grep -o 'default via [^ ]*'"],
            NetworkingConfig: {
              EndpointsConfig: Object.fromEntries(
                ["peer-a", "peer-b", "peer-c"].map((name) => [
                  name,
                  { GwPriority: (priorities as Record<string, number>)[name] ?? 0 },
                ]),
              ),
            },
          },
          { NetworkMode: "peer-a" },
        ),
        post("/containers/gateway/start"),
        post("/containers/gateway/wait"),
        get("/containers/gateway/logs?stdout=1&stderr=1"),
        gone("gateway"),
      ]),
      ...["a", "b", "c"].map((name) => del(`/networks/peer-${name}`, { silent: true })),
    ],
  },
];

interface Inspected {
  readonly NetworkSettings: {
    readonly Ports: unknown;
    readonly Networks: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  };
}

/** Everything of a container's place but what is by chance. */
function addresses({ body }: { readonly body: Buffer }): unknown {
  const { NetworkSettings } = JSON.parse(body.toString()) as Inspected;
  const places = Object.entries(NetworkSettings.Networks).map(([name, place]) => {
    const { NetworkID, EndpointID, MacAddress, DNSNames, ...rest } = place;
    return [name, rest];
  });
  return [NetworkSettings.Ports, places];
}

function ports({ body }: { readonly body: Buffer }): unknown {
  const list = JSON.parse(body.toString()) as { readonly Ports: { readonly IP?: string }[] }[];
  return list.map(({ Ports }) => Ports.toSorted((a, b) => ((a.IP ?? "") < (b.IP ?? "") ? -1 : 1)));
}

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Bridge } from "../../src/network/endpoint.ts";
import { createFirewall } from "../../src/network/firewall/firewall.ts";
import type { FirewallNetwork, FirewallState, PublishedPort } from "../../src/network/firewall/types.ts";
import { runPlan } from "../../src/plan/run.ts";
import { enterOwnNetwork, type OwnNetwork } from "../support/netns.ts";
import { needs, program, root } from "../support/skip.ts";
import { run, sh } from "./look.ts";
import { here, makeBridge, makeContainer, makeHost, type Place } from "./topology.ts";

// What reaches what, from each direction, with real packets: this namespace is the host.

const can = { ...needs(root(), program("ip", "iproute2"), program("nft", "nftables")), timeout: 60_000 };

const bridge = (name: string, number: number): Bridge => ({
  network: name,
  name: `br-${name}`,
  addresses: [
    { address: `172.${number}.0.1`, bits: 16 },
    { address: `fd00:${number}::1`, bits: 64 },
  ],
  forward4: true,
  forward6: true,
  routeLocalnet: true,
});
const network = (name: string, number: number, change: Partial<FirewallNetwork> = {}): FirewallNetwork => ({
  id: `id-${name}`,
  name,
  bridge: `br-${name}`,
  subnets4: [`172.${number}.0.0/16`],
  subnets6: [`fd00:${number}::/64`],
  internal: false,
  icc: true,
  masquerade: true,
  gatewayMode4: "nat",
  gatewayMode6: "nat",
  ...change,
});
const port = (change: Partial<PublishedPort>): PublishedPort => ({
  network: "id-one",
  container: "web",
  protocol: "tcp",
  hostIp: "0.0.0.0",
  hostPort: 8080,
  containerIp: "172.17.0.2",
  containerPort: 80,
  ...change,
});
const addresses = (number: number, host: number) => [
  { address: `172.${number}.0.${host}`, bits: 16 },
  { address: `fd00:${number}::${host}`, bits: 64 },
];

const one = network("one", 17);
const two = network("two", 18);
const shut = network("shut", 19, { internal: true });
const six = { containerIp: "fd00:17::2", hostIp: "::" } as const;
const PORTS: readonly PublishedPort[] = [
  port({}),
  port(six),
  port({ protocol: "udp", hostPort: 5353, containerPort: 53 }),
  port({ ...six, protocol: "udp", hostPort: 5353, containerPort: 53 }),
  port({ hostIp: "127.0.0.1", hostPort: 8081 }),
  port({ hostIp: "192.0.2.1", hostPort: 8082 }),
];
const STATE: FirewallState = { networks: [one, two, shut], ports: PORTS };

let own: OwnNetwork;
let places: Place[] = [];
let outside: Place;
let web: Place;
let client: Place;
let other: Place;
let hidden: Place;
let friend: Place;
const host = here();
const firewall = createFirewall(runPlan);

before(async () => {
  if (can.skip !== undefined) return;
  own = await enterOwnNetwork();
  sh("ip link set lo up");
  outside = await makeHost("cable", ["192.0.2.1/24", "2001:db8::1/64"], ["192.0.2.2/24", "2001:db8::2/64"]);
  const [first, second, third] = [bridge("one", 17), bridge("two", 18), bridge("shut", 19)];
  for (const each of [first, second, third]) await makeBridge(each);
  web = await makeContainer(first, addresses(17, 2));
  client = await makeContainer(first, addresses(17, 3));
  other = await makeContainer(second, addresses(18, 2));
  hidden = await makeContainer(third, addresses(19, 2));
  friend = await makeContainer(third, addresses(19, 3));
  places = [outside, web, client, other, hidden, friend];
  await Promise.all([web.serve(80, 53, 7), outside.serve(80), other.serve(80), hidden.serve(80)]);
  await host.serve(9);
  await firewall.apply(STATE);
});
after(() => {
  host?.end();
  for (const place of places) place.end();
  own?.leave();
});

test("a published port is reached from elsewhere, and the container sees who it is", can, () => {
  assert.equal(outside.ask("192.0.2.1", 8080), "192.0.2.2");
  assert.equal(outside.ask("2001:db8::1", 8080), "2001:db8::2");
  assert.equal(outside.ask("192.0.2.1", 5353, "udp"), "192.0.2.2");
  assert.equal(outside.ask("2001:db8::1", 5353, "udp"), "2001:db8::2");
  assert.equal(outside.ask("192.0.2.1", 8082), "192.0.2.2");
});

test("it is reached from the host, by its own addresses and by 127.0.0.1", can, () => {
  assert.equal(host.ask("192.0.2.1", 8080), "192.0.2.1");
  assert.equal(host.ask("2001:db8::1", 8080), "2001:db8::1");
  assert.equal(host.ask("127.0.0.1", 8080), "172.17.0.1");
  assert.equal(host.ask("127.0.0.1", 8081), "172.17.0.1");
  assert.equal(host.ask("127.0.0.1", 5353, "udp"), "172.17.0.1");
  assert.equal(host.ask("172.17.0.2", 7), "172.17.0.1");
});

test("it is reached from other networks and from its own, through the host", can, () => {
  assert.equal(other.ask("192.0.2.1", 8080), "172.18.0.2");
  assert.equal(other.ask("172.18.0.1", 8080), "172.18.0.2");
  assert.equal(other.ask("fd00:18::1", 8080), "fd00:18::2");
  assert.equal(client.ask("192.0.2.1", 8080), "172.17.0.1");
  assert.equal(client.ask("2001:db8::1", 8080), "fd00:17::1");
  // Its own requests come to the host itself, where the socket that holds the port carries them.
  assert.equal(web.ask("192.0.2.1", 8080), "ECONNREFUSED");
});

test("containers reach each other within a network, and the world beyond as the host", can, () => {
  assert.equal(client.ask("172.17.0.2", 7), "172.17.0.3");
  assert.equal(client.ask("fd00:17::2", 7), "fd00:17::3");
  assert.equal(client.ask("192.0.2.2", 80), "192.0.2.1");
  assert.equal(client.ask("2001:db8::2", 80), "2001:db8::1");
});

test("they do not reach other networks", can, () => {
  assert.equal(client.ask("172.18.0.2", 80), "nothing");
  assert.equal(other.ask("172.17.0.2", 80), "nothing");
  assert.equal(other.ask("fd00:17::2", 80), "nothing");
  assert.equal(client.ask("172.19.0.2", 80), "nothing");
});

test("nobody elsewhere reaches containers by their own addresses, published or not", can, () => {
  outside.run(
    "ip route add 172.16.0.0/12 via 192.0.2.1; ip route add fd00::/8 via 2001:db8::1; ip route add 127.0.0.0/8 dev lo table main 2>/dev/null || true",
  );
  assert.equal(outside.ask("172.17.0.2", 80), "nothing");
  assert.equal(outside.ask("172.17.0.2", 7), "nothing");
  assert.equal(outside.ask("fd00:17::2", 80), "nothing");
  assert.equal(outside.ask("172.19.0.2", 80), "nothing");
});

test("a port on 127.0.0.1 is the host's alone", can, () => {
  assert.equal(outside.ask("192.0.2.1", 8081), "ECONNREFUSED");
  assert.equal(client.ask("172.17.0.1", 8081), "ECONNREFUSED");
  // A neighbour sends to 127.0.0.1 over the cable, as if that were its next hop.
  sh("echo 1 >/proc/sys/net/ipv4/conf/cable/route_localnet");
  outside.run(
    "echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet; ip rule add pref 1 lookup 7; ip route add 127.0.0.1 via 192.0.2.1 dev cable src 192.0.2.2 table 7; ip rule add pref 2 lookup local; ip rule del pref 0",
  );
  assert.notEqual(outside.ask("127.0.0.1", 8081), "192.0.2.2");
  outside.run("ip rule add pref 0 lookup local; ip rule del pref 1; ip rule del pref 2");
  sh("echo 0 >/proc/sys/net/ipv4/conf/cable/route_localnet");
  // And a container, over the bridge that lets answers to 127.0.0.1 in.
  client.run(
    "echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet; ip rule add pref 1 lookup 7; ip route add 127.0.0.1 via 172.17.0.1 dev eth0 src 172.17.0.3 table 7; ip rule add pref 2 lookup local; ip rule del pref 0",
  );
  assert.equal(client.ask("127.0.0.1", 9), "nothing");
  client.run("ip rule add pref 0 lookup local; ip rule del pref 1; ip rule del pref 2");
});

test("an internal network is internal", can, () => {
  assert.equal(friend.ask("172.19.0.2", 80), "172.19.0.3");
  assert.equal(friend.ask("fd00:19::2", 80), "fd00:19::3");
  // The host is there at its address in the network, for names; nowhere else.
  assert.equal(hidden.ask("172.19.0.1", 9), "172.19.0.2");
  assert.equal(hidden.ask("fd00:19::1", 9), "fd00:19::2");
  assert.equal(hidden.ask("192.0.2.1", 9), "nothing");
  assert.equal(hidden.ask("172.17.0.1", 9), "nothing");
  assert.equal(hidden.ask("2001:db8::1", 9), "nothing");
  assert.equal(hidden.ask("192.0.2.2", 80), "nothing");
  assert.equal(hidden.ask("192.0.2.1", 8080), "nothing");
  assert.equal(hidden.ask("172.19.0.1", 8080), "nothing");
  assert.equal(hidden.ask("172.17.0.2", 80), "nothing");
  assert.equal(host.ask("172.19.0.2", 80), "172.19.0.1");
});

test("every rule says what it is for and counts", can, async () => {
  const rules = await firewall.rules();
  assert.ok(rules.every(({ comment, text }) => comment !== "" && text !== ""));
  const published = rules.filter(({ comment }) => comment === "container web: port 8080 to 80/tcp");
  assert.deepEqual(
    published.map(({ text }) => text),
    [
      "meta nfproto ipv4 ip saddr != 172.17.0.2 tcp dport 8080 dnat ip to 172.17.0.2:80",
      "meta nfproto ipv6 ip6 saddr != fd00:17::2 tcp dport 8080 dnat ip6 to [fd00:17::2]:80",
    ],
  );
  assert.ok(published.every(({ bytes, packets }) => packets > 3n && bytes > packets * 40n));
  assert.match(
    run("nft", ["list", "table", "inet", "cais"]),
    /ip saddr 172\.17\.0\.0\/16 oifname != "br-one" counter packets \d+ bytes \d+ masquerade comment "network one: out into the world"/,
  );
});

test("a change keeps the counters of what stays, and connections that are open", can, async () => {
  const count = async (comment: string) =>
    (await firewall.rules()).filter((rule) => rule.comment === comment).map(({ packets }) => packets);
  const before = await count("container web: port 8080 to 80/tcp");
  const more = port({ hostPort: 9000, container: "more" });
  await firewall.apply({ ...STATE, ports: [...PORTS.slice(2), ...PORTS.slice(0, 2), more] });
  assert.deepEqual(await count("container web: port 8080 to 80/tcp"), before);
  assert.equal(outside.ask("192.0.2.1", 9000), "192.0.2.2");
  await firewall.apply({ ...STATE, ports: PORTS.filter(({ hostPort }) => hostPort !== 5353) });
  assert.deepEqual(await count("container web: port 8080 to 80/tcp"), before);
  assert.equal(outside.ask("192.0.2.1", 9000), "ECONNREFUSED");
  const rules = await firewall.rules();
  assert.ok(rules.every(({ comment }) => !/5353|more/.test(comment)));
  await firewall.apply(STATE);
  assert.equal(outside.ask("192.0.2.1", 5353, "udp"), "192.0.2.2");
});

test("datagrams of one sender follow the port to its next container", can, async () => {
  const moving = (containerIp: string) =>
    firewall.apply({
      ...STATE,
      ports: [...PORTS, port({ protocol: "udp", hostPort: 6000, containerIp, containerPort: 53 })],
    });
  // Nobody answers there; the kernel remembers where the first packet went.
  await moving("172.17.0.3");
  assert.equal(outside.ask("192.0.2.1", 6000, "udp", 4000), "nothing");
  await moving("172.17.0.2");
  assert.equal(outside.ask("192.0.2.1", 6000, "udp", 4000), "192.0.2.2");
  await firewall.apply(STATE);
});

test("rules that somebody flushed are made again", can, async () => {
  run("nft", ["flush", "ruleset"]);
  await firewall.apply({ ...STATE, ports: PORTS.slice(1) });
  await firewall.apply(STATE);
  assert.equal(outside.ask("192.0.2.1", 8080), "192.0.2.2");
});

test("options: containers apart, no masquerade, routed, unprotected", can, async () => {
  const change = (options: Partial<FirewallNetwork>, ports = PORTS) =>
    firewall.apply({ networks: [{ ...one, ...options }, two, shut], ports });
  await change({ icc: false });
  assert.equal(client.ask("192.0.2.1", 8080), "172.17.0.1");
  assert.equal(outside.ask("192.0.2.1", 8080), "192.0.2.2");
  await change({ masquerade: false });
  assert.equal(client.ask("192.0.2.2", 80), "172.17.0.3");
  await change({ gatewayMode4: "routed" });
  assert.equal(outside.ask("172.17.0.2", 80), "192.0.2.2");
  assert.equal(outside.ask("172.17.0.2", 7), "nothing");
  assert.equal(outside.ask("192.0.2.1", 8080), "ECONNREFUSED");
  assert.equal(outside.ask("2001:db8::1", 8080), "2001:db8::2");
  // A routed port is published on no port of the host.
  await change({ gatewayMode4: "routed" }, [port({ hostPort: 0 })]);
  assert.equal(outside.ask("172.17.0.2", 80), "192.0.2.2");
  assert.equal(outside.ask("172.17.0.2", 7), "nothing");
  // By an interface that is trusted, at the container's own address, what is published only.
  await change({ trusted: ["nosuch0", "cable"] });
  assert.equal(outside.ask("172.17.0.2", 80), "192.0.2.2");
  assert.equal(outside.ask("172.17.0.2", 7), "nothing");
  assert.equal(other.ask("172.17.0.2", 80), "nothing");
  await change({ trusted: ["nosuch0"] });
  assert.equal(outside.ask("172.17.0.2", 80), "nothing");
  // Seen elsewhere as one certain address of the host.
  sh("ip addr add 192.0.2.77/24 dev cable; ip addr add 2001:db8::77/64 dev cable nodad");
  await change({ hostAddress4: "192.0.2.77", hostAddress6: "2001:db8::77" });
  assert.equal(client.ask("192.0.2.2", 80), "192.0.2.77");
  assert.equal(client.ask("2001:db8::2", 80), "2001:db8::77");
  assert.equal(other.ask("192.0.2.2", 80), "192.0.2.1");
  sh("ip addr del 192.0.2.77/24 dev cable; ip addr del 2001:db8::77/64 dev cable");
  await change({ gatewayMode4: "nat-unprotected" });
  assert.equal(outside.ask("172.17.0.2", 7), "192.0.2.2");
  assert.equal(other.ask("172.17.0.2", 7), "nothing");
  assert.equal(outside.ask("192.0.2.1", 8080), "192.0.2.2");
  await firewall.apply(STATE);
});

test("other people's rules stay as they are; theirs that are in the way are named", can, async () => {
  assert.deepEqual(await firewall.obstacles(), []);
  run("nft", [
    "add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }; add rule ip filter FORWARD counter accept",
  ]);
  const theirs = () => run("nft", ["list", "table", "ip", "filter"]).replaceAll(/(packets|bytes) \d+/g, "");
  const before = theirs();
  const [obstacle] = await firewall.obstacles();
  assert.match(obstacle?.message ?? "", /^iptables' policy for FORWARD is DROP: /);
  run("nft", [
    "add chain ip filter INPUT { type filter hook input priority 0; policy drop; }; add chain ip filter FORWARD { policy accept; }",
  ]);
  const [arriving] = await firewall.obstacles();
  assert.match(arriving?.message ?? "", /^iptables' policy for INPUT is DROP: .* --dport 11053 -j ACCEPT/);
  run("nft", ["delete chain ip filter INPUT; add chain ip filter FORWARD { policy drop; }"]);
  await firewall.apply({ networks: [one], ports: [] });
  await firewall.apply({ networks: [], ports: [] });
  assert.equal(theirs(), before);
});

const legacy = { ...can, ...needs(root(), program("iptables-legacy", "iptables")) };
test("so are policies of the iptables that nf_tables does not list", legacy, async () => {
  const named = async () => (await firewall.obstacles()).map(({ family, table }) => `${family} ${table}`);
  run("nft", ["flush", "ruleset"]);
  run("iptables-legacy", ["-A", "FORWARD", "-s", "10.0.0.0/8", "-j", "ACCEPT"]);
  assert.deepEqual(await named(), []);
  run("iptables-legacy", ["-P", "FORWARD", "DROP"]);
  assert.deepEqual(await named(), ["ip filter"]);
  run("ip6tables-legacy", ["-P", "FORWARD", "DROP"]);
  run("iptables-legacy", ["-P", "FORWARD", "ACCEPT"]);
  assert.deepEqual(await named(), ["ip6 filter"]);
  run("ip6tables-legacy", ["-P", "FORWARD", "ACCEPT"]);
  run("iptables-legacy", ["-P", "INPUT", "DROP"]);
  assert.match((await firewall.obstacles())[0]?.message ?? "", /^iptables' policy for INPUT is DROP: /);
  run("iptables-legacy", ["-P", "INPUT", "ACCEPT"]);
});

test("nothing of ours remains without networks", can, async () => {
  await firewall.apply({ networks: [], ports: [] });
  assert.doesNotMatch(run("nft", ["list", "tables"]), /cais/);
});

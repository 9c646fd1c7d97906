import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { startEngine, type TestEngine } from "../support/engine.ts";
import { busyboxMissing, busyboxTar } from "../support/fixtures.ts";
import { needs, program, root } from "../support/skip.ts";
import { HERE, type OtherHost, otherHost, THERE } from "./outside.ts";

const can = needs(root(), busyboxMissing(), program("ip", "iproute2"), program("nft", "nftables"));

let engine: TestEngine;
let outside: OtherHost;
before(async () => {
  if (can.skip) return;
  engine = await startEngine();
  await engine.ok(["import", busyboxTar(), "busybox"]);
  outside = await otherHost(engine);
  await outside.answerWithAddress(7000);
});
after(async () => {
  await outside?.[Symbol.asyncDispose]();
  await engine?.[Symbol.asyncDispose]();
});

const sleeper = (...options: readonly string[]) =>
  engine.ok(["run", "-d", ...options, "busybox", "sleep", "1000"]);
const field = (name: string, path: string) => engine.ok(["inspect", "-f", `{{${path}}}`, name]);
const addressOn = (name: string, network: string) =>
  field(name, `(index .NetworkSettings.Networks "${network}").IPAddress`);
const clear = async () => {
  const ids = (await engine.ok(["ps", "-aq"])).split("\n").filter(Boolean);
  if (ids.length > 0) await engine.ok(["rm", "-f", ...ids]);
  await engine.ok(["network", "prune", "-f"]);
};
/** Whether a container gets an answer from an address. */
const reaches = async (name: string, address: string): Promise<boolean> =>
  (await engine.cais(["exec", name, "ping", "-c1", "-W1", address])).code === 0;
const asks = (name: string, address: string, port: number) =>
  engine.ok(["exec", name, "nc", "-w", "2", address, `${port}`]);

test(
  "the default bridge: containers reach each other, and the world sees the host's address",
  can,
  async () => {
    await sleeper("--name", "one");
    await sleeper("--name", "two");
    assert.equal(await addressOn("one", "bridge"), "172.17.0.2");
    assert.equal(await addressOn("two", "bridge"), "172.17.0.3");
    assert.ok(await reaches("one", "172.17.0.3"));
    assert.ok(await reaches("two", "172.17.0.1"), "the bridge itself");
    assert.equal(await asks("one", THERE.ipv4, 7000), HERE.ipv4);
    await clear();
  },
);

test(
  "what the tutorials list: links, addresses, networks and the rule that hides containers",
  can,
  async () => {
    await sleeper("--name", "seen");
    const inside = await engine.ok(["exec", "seen", "ip", "addr"]);
    assert.match(inside, /^2: eth0@if(\d+): <BROADCAST,MULTICAST,UP,LOWER_UP/m);
    assert.match(inside, /inet 172\.17\.0\.2\/16 brd 172\.17\.255\.255 scope global eth0/);
    assert.doesNotMatch(inside, /inet6 fe80/, "no IPv6 where the network has none");
    const index = /eth0@if(\d+)/.exec(inside)?.[1];
    const host = engine.inside("ip", "addr");
    assert.match(host, new RegExp(`^${index}: veth[0-9a-f]{7}@if2: .* master cais0 state UP`, "m"));
    assert.match(host, /^\d+: cais0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500/m);
    assert.match(host, /inet 172\.17\.0\.1\/16 brd 172\.17\.255\.255 scope global cais0/);
    assert.equal(
      await engine.ok(["exec", "seen", "ip", "route"]),
      "default via 172.17.0.1 dev eth0 \n172.17.0.0/16 dev eth0 scope link  src 172.17.0.2 ",
    );
    assert.match(
      engine.inside("nft", "list", "ruleset"),
      /ip saddr 172\.17\.0\.0\/16 oifname != "cais0" counter packets \d+ bytes \d+ masquerade/,
    );
    const listed = (await engine.ok(["network", "ls"]))
      .split("\n")
      .map((line) => line.split(/\s{2,}/).slice(1));
    assert.deepEqual(listed, [
      ["NAME", "DRIVER", "SCOPE"],
      ["bridge", "bridge", "local"],
      ["host", "host", "local"],
      ["none", "null", "local"],
    ]);
    await clear();
  },
);

test(
  "networks of people: addresses of their own, no way from one to another, none out of an internal one",
  can,
  async () => {
    await engine.ok(["network", "create", "red", "--subnet", "10.81.0.0/24"]);
    await engine.ok(["network", "create", "blue"]);
    await engine.ok(["network", "create", "closed", "--internal"]);
    for (const network of ["red", "blue", "closed"]) {
      await sleeper("--name", `${network}-1`, "--network", network);
      await sleeper("--name", `${network}-2`, "--network", network);
      assert.ok(await reaches(`${network}-1`, await addressOn(`${network}-2`, network)), network);
    }
    assert.equal(await addressOn("red-2", "red"), "10.81.0.3");
    assert.ok(!(await reaches("red-1", await addressOn("blue-1", "blue"))));
    assert.ok(!(await reaches("blue-1", "10.81.0.2")));
    assert.equal(await asks("red-1", THERE.ipv4, 7000), HERE.ipv4);
    assert.ok(!(await reaches("closed-1", THERE.ipv4)));
    assert.ok(!(await reaches("closed-1", "10.81.0.2")));
    assert.ok(!(await reaches("red-1", await addressOn("closed-1", "closed"))));
    assert.doesNotMatch(await engine.ok(["exec", "closed-1", "ip", "route"]), /default/);
    await clear();
  },
);

test("IPv6: unique local addresses where no subnet is given, masqueraded like the others", can, async () => {
  await engine.ok(["network", "create", "--ipv6", "six"]);
  await engine.ok(["network", "create", "--ipv6", "--ipv4=false", "--subnet", "fd77::/64", "only"]);
  await sleeper("--name", "auto", "--network", "six");
  await sleeper("--name", "fixed", "--network", "only", "--ip6", "fd77::99");
  const address = await field("auto", '(index .NetworkSettings.Networks "six").GlobalIPv6Address');
  assert.match(address, /^fd[0-9a-f]{2}:.*::2$/);
  assert.equal(await asks("auto", THERE.ipv6, 7000), HERE.ipv6);
  assert.equal(await asks("fixed", THERE.ipv6, 7000), HERE.ipv6);
  assert.match(await engine.ok(["exec", "fixed", "ip", "addr"]), /inet6 fd77::99\/64/);
  assert.doesNotMatch(await engine.ok(["exec", "fixed", "ip", "addr", "show", "eth0"]), /inet /);
  await clear();
});

test("ten containers, each on three networks: thirty interfaces, all reached", can, async () => {
  const networks = ["left", "middle", "right"];
  for (const network of networks) await engine.ok(["network", "create", network]);
  const names = Array.from({ length: 10 }, (_, i) => `member${i}`);
  await Promise.all(
    names.map((name) => sleeper("--name", name, ...networks.flatMap((network) => ["--network", network]))),
  );
  for (const network of networks) {
    const members = JSON.parse(await engine.ok(["network", "inspect", network]))[0].Containers;
    const addresses = Object.values(members as Record<string, { IPv4Address: string }>).map((it) =>
      it.IPv4Address.replace(/\/.*/, ""),
    );
    assert.equal(new Set(addresses).size, 10);
    const script = addresses.map((address) => `ping -c1 -W1 ${address} >/dev/null || echo ${address}`);
    assert.equal(await engine.ok(["exec", "member0", "sh", "-c", script.join(";")]), "");
  }
  assert.equal((await engine.ok(["exec", "member3", "ip", "-o", "link"])).split("\n").length, 4);
  assert.match(await engine.ok(["exec", "member3", "ip", "route"]), /^default via \S+ dev eth0/m);
  const used = await engine.cais(["network", "rm", "middle"]);
  assert.equal(used.code, 1);
  assert.match(used.stderr, /network middle has active endpoints \(name:"member\d" id:"[0-9a-f]{12}"/);
  await clear();
});

test("a container with the address of one that is gone is reached at once", can, async () => {
  await sleeper("--name", "client");
  for (const name of ["first", "second", "third"]) {
    await sleeper("--name", name);
    assert.equal(await addressOn(name, "bridge"), "172.17.0.3");
    // An answer within a second: whoever remembers the last one's MAC address would wait for several.
    assert.ok(await reaches("client", "172.17.0.3"), `${name} from a container`);
    engine.inside("busybox", "ping", "-c1", "-W1", "172.17.0.3");
    await engine.ok(["rm", "-f", name]);
  }
  await clear();
});

test(
  "so is one with another MAC address, which was chosen, or which one that is gone had chosen",
  can,
  async () => {
    await engine.ok([
      "network",
      "create",
      "--ipv6",
      "--subnet",
      "10.87.0.0/24",
      "--subnet",
      "fd87::/64",
      "told",
    ]);
    await sleeper("--name", "client", "--network", "told");
    const place = "name=told,ip=10.87.0.9,ip6=fd87::9";
    const found = async () => {
      // The only packet goes where the client believes the address to be.
      for (const address of ["10.87.0.9", "fd87::9"])
        await engine.ok(["exec", "client", "ping", "-c1", "-W5", address]);
      await engine.ok(["rm", "-f", "server"]);
    };
    for (const mac of ["02:00:00:00:00:01", "02:00:00:00:00:02", undefined, "02:00:00:00:00:03"]) {
      await sleeper("--name", "server", "--network", mac ? `${place},mac-address=${mac}` : place);
      await found();
    }
    await sleeper("--name", "server");
    await engine.ok(["network", "connect", "--ip", "10.87.0.9", "--ip6", "fd87::9", "told", "server"]);
    await found();
    await clear();
  },
);

test("network path and explain show the whole way, as the kernel has it", can, async () => {
  await engine.ok(["network", "create", "shown", "--subnet", "10.88.0.0/24"]);
  await sleeper("--name", "guest", "--network", "shown");
  await asks("guest", THERE.ipv4, 7000);
  const [{ Cais: path, Id }] = JSON.parse(await engine.ok(["network", "inspect", "--path", "shown"]));
  const [verbose] = JSON.parse(await engine.ok(["network", "inspect", "-v", "shown"]));
  assert.deepEqual(verbose.Cais.Containers, path.Containers);
  const bridge = `br-${Id.slice(0, 12)}`;
  const [{ Inside, Outside }] = path.Containers;
  const seen = (link: string) => JSON.parse(engine.inside("ip", "-j", "addr", "show", link))[0];
  assert.equal(path.Host.Name, bridge);
  assert.equal(path.Host.Index, seen(bridge).ifindex);
  assert.ok(path.Host.Addresses.includes("10.88.0.1/24"));
  assert.equal(seen(Outside.Name).ifindex, Outside.Index);
  assert.equal(seen(Outside.Name).link_index, Inside.Index);
  assert.deepEqual([Inside.Name, Inside.Addresses], ["eth0", ["10.88.0.2/24"]]);
  assert.deepEqual(Inside.Routes.sort(), ["10.88.0.0/24", "default via 10.88.0.1"]);
  const out = path.Rules.find(
    (rule: { Comment: string }) => rule.Comment === "network shown: out into the world",
  );
  assert.equal(out.Rule, `ip saddr 10.88.0.0/24 oifname != "${bridge}" masquerade`);
  assert.ok(out.Packets > 0 && out.Bytes > 0);
  const words = await engine.ok(["network", "path", "shown"]);
  assert.match(words, new RegExp(`^${path.Host.Index}: ${bridge} 02:42:\\S+ mtu 1500 up$`, "m"));
  assert.match(words, /^ {2}container guest$/m);

  // The kernel tells a bridge later that its last member, of the test before, has gone.
  while (!engine.inside("ip", "link", "show", "cais0").includes("NO-CARRIER")) await setTimeout(20);
  const before = engine.inside("sh", "-c", "ip -o link; ip -o -4 addr");
  const plan = await engine.ok([
    "run",
    "--dry-run",
    "--network",
    "shown",
    "--ip",
    "10.88.0.77",
    "busybox",
    "true",
  ]);
  assert.match(plan, new RegExp(`ip link add name veth\\S+ .*master ${bridge} up type veth peer name eth0`));
  assert.match(plan, /ip address add 10\.88\.0\.77\/24 .*dev eth0/);
  assert.match(plan, /ip route add default via 10\.88\.0\.1 dev eth0/);
  assert.match(plan, /\[--network shown\]/);
  assert.equal(engine.inside("sh", "-c", "ip -o link; ip -o -4 addr"), before);
  await engine.ok(["run", "--rm", "--network", "shown", "--ip", "10.88.0.77", "busybox", "true"]);
  await clear();
});

test("info says who drops what is forwarded", can, async () => {
  const warnings = async () => (await engine.ok(["info", "-f", "{{json .Warnings}}"])) ?? "";
  assert.doesNotMatch(await warnings(), /FORWARD/);
  engine.inside(
    "nft",
    "add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }",
  );
  assert.match(await warnings(), /WARNING: iptables' policy for FORWARD is DROP/);
  const { code, stderr } = await engine.cais(["network", "create", "warned"]);
  assert.equal(code, 0);
  assert.match(stderr, /^WARNING: iptables' policy for FORWARD is DROP/);
  await clear();
  engine.inside("nft", "delete table ip filter");
});

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startEngine, type TestEngine } from "../support/engine.ts";
import { needs, program, root } from "../support/skip.ts";

const can = needs(root(), program("ip", "iproute2"));

let engine: TestEngine;
before(async () => {
  if (can.skip) return;
  engine = await startEngine();
  engine.inside(
    "sh",
    "-euc",
    "ip link add up0 type veth peer name up1; ip addr add 10.60.0.1/24 dev up0; ip link set up0 up",
  );
});
after(() => engine?.[Symbol.asyncDispose]());

const BRIDGE = "com.docker.network.bridge";
const create = (...words: readonly string[]) => engine.ok(["network", "create", ...words]);
const inspect = async (name: string) => JSON.parse(await engine.ok(["network", "inspect", name]))[0];
const bridges = () => engine.inside("ip", "-br", "link", "show", "type", "bridge").split("\n").length - 1;

test(
  "subnets that nobody chose keep clear of the host, of other networks and of each other",
  can,
  async () => {
    engine.inside("ip", "addr", "add", "172.19.5.1/24", "dev", "up0");
    await create("first");
    await create("chosen", "--subnet", "172.20.128.0/17");
    await create("second");
    const subnetOf = async (name: string) => (await inspect(name)).IPAM.Config[0];
    assert.deepEqual(await subnetOf("first"), { Subnet: "172.18.0.0/16", Gateway: "172.18.0.1" });
    assert.deepEqual(await subnetOf("second"), { Subnet: "172.21.0.0/16", Gateway: "172.21.0.1" });
    assert.deepEqual(await subnetOf("chosen"), { Subnet: "172.20.128.0/17" });
    const { Id } = await inspect("first");
    assert.match(engine.inside("ip", "link"), new RegExp(`br-${Id.slice(0, 12)}`));
    await engine.ok(["network", "rm", "first", "second", "chosen"]);
    assert.equal(bridges(), 0);
  },
);

test(
  "options of a network: range, gateway, reserved addresses, labels, the bridge's name and MTU",
  can,
  async () => {
    await create(
      ...["--subnet", "10.61.0.0/24", "--ip-range", "10.61.0.128/25", "--gateway", "10.61.0.254"],
      ...["--aux-address", "printer=10.61.0.128", "--label", "team=blue", "--attachable"],
      ...["-o", `${BRIDGE}.name=quay0`, "-o", "com.docker.network.driver.mtu=1400", "full"],
    );
    const full = await inspect("full");
    assert.deepEqual(full.IPAM, {
      Driver: "default",
      Options: {},
      Config: [
        {
          Subnet: "10.61.0.0/24",
          IPRange: "10.61.0.128/25",
          Gateway: "10.61.0.254",
          AuxiliaryAddresses: { printer: "10.61.0.128" },
        },
      ],
    });
    assert.deepEqual([full.Labels, full.Attachable, full.Driver], [{ team: "blue" }, true, "bridge"]);
    assert.match(engine.inside("ip", "addr", "show", "quay0"), /mtu 1400[\s\S]*inet 10\.61\.0\.254\/24/);
    for (const filter of [
      "label=team=blue",
      "driver=bridge",
      `id=${full.Id.slice(0, 12)}`,
      "type=custom",
      "dangling=true",
    ])
      assert.match(
        await engine.ok(["network", "ls", "-f", filter, "--format", "{{.Name}}"]),
        /^full$/m,
        filter,
      );
    assert.equal(await engine.ok(["network", "ls", "-q", "-f", "name=nobody"]), "");
    await engine.ok(["network", "rm", full.Id.slice(0, 12)]);
    assert.equal(bridges(), 0);
  },
);

test("a configuration-only network is what others are made from", can, async () => {
  await create(
    "--config-only",
    "--subnet",
    "10.62.0.0/24",
    "-o",
    "com.docker.network.driver.mtu=1300",
    "plan",
  );
  assert.equal(bridges(), 0);
  await create("--config-from", "plan", "house");
  const house = await inspect("house");
  assert.deepEqual(house.ConfigFrom, { Network: "plan" });
  assert.deepEqual(house.IPAM.Config, [{ Subnet: "10.62.0.0/24" }]);
  assert.equal(house.Options["com.docker.network.driver.mtu"], "1300");
  assert.match((await engine.cais(["network", "rm", "plan"])).stderr, /"plan" is in use by network house/);
  await engine.ok(["network", "rm", "house", "plan"]);
});

/** What is asked, and what it is refused with; Docker's sentences where it refuses it too. */
const refusals: readonly (readonly [words: readonly string[], message: string | RegExp])[] = [
  [["bridge"], "operation is not permitted on predefined bridge network"],
  [[" "], "invalid name: name is empty"],
  [["__proto__"], "invalid name: __proto__ cannot be the name of a network"],
  [["a/b"], "invalid name: it has a slash or a control character"],
  [["there"], "network with name there already exists"],
  [["-d", "magic", "x"], 'plugin "magic" not found'],
  [["-d", "overlay", "x"], /^This node is not a swarm manager/],
  [["-d", "host", "x"], 'only one instance of "host" network is allowed'],
  [["--scope", "swarm", "x"], "cannot create a swarm scoped network when swarm is not active"],
  [["--ingress", "x"], "Ingress network can only be global scope network"],
  [["--ipv4=false", "x"], "IPv4 or IPv6 must be enabled"],
  [["--ipam-driver", "dhcp", "x"], 'plugin "dhcp" not found'],
  [["--config-from", "nosuch", "x"], 'configuration network "nosuch" does not exist'],
  [
    ["--subnet", "10.1.0.0/33", "x"],
    "invalid network config:\ninvalid subnet 10.1.0.0/33: invalid CIDR block notation",
  ],
  [
    ["--subnet", "10.1.0.1/24", "x"],
    "invalid network config:\ninvalid subnet 10.1.0.1/24: it should be 10.1.0.0/24",
  ],
  [
    ["--subnet", "10.1.0.0/24", "--gateway", "nowhere", "x"],
    "invalid network config:\ninvalid gateway nowhere: invalid address",
  ],
  [
    ["--subnet", "10.1.0.0/24", "--gateway", "10.1.0.0", "x"],
    "failed to allocate gateway (10.1.0.0): Address already in use",
  ],
  [
    ["--subnet", "10.1.0.0/24", "--subnet", "10.2.0.0/24", "x"],
    "bridge driver doesn't support multiple subnets",
  ],
  [
    ["--subnet", "10.63.1.0/24", "x"],
    "invalid pool request: Pool overlaps with other one on this address space",
  ],
  [["--subnet", "10.60.0.0/16", "x"], /overlaps with 10\.60\.0\.1\/32 of the host: choose another subnet$/],
  [["-o", "nosuch=1", "x"], /^unknown option nosuch for driver bridge: it has com\.docker/],
  [["-o", `${BRIDGE}.name=up0`, "x"], /the host has an interface up0 already/],
  [["-o", `${BRIDGE}.name=a/b`, "x"], /an interface's name has 1 to 15 bytes/],
  [["-o", `${BRIDGE}.name=far-too-long-a-name`, "x"], /an interface's name has 1 to 15 bytes/],
  [
    ["-o", `${BRIDGE}.enable_icc=perhaps`, "x"],
    `failed to parse ${BRIDGE}.enable_icc value: perhaps (strconv.ParseBool: parsing "perhaps": invalid syntax)`,
  ],
  [["-o", "com.docker.network.driver.mtu=10", "x"], /invalid MTU number: 10/],
  [["-o", `${BRIDGE}.gateway_mode_ipv4=isolated`, "x"], /can only be used for an internal network/],
  [["-d", "macvlan", "-o", "parent=nosuch0", "x"], /the host has no interface nosuch0/],
  [
    ["-d", "macvlan", "-o", "parent=nosuch0.5", "x"],
    "-o parent interface was not found on the host: nosuch0",
  ],
  [["-d", "macvlan", "-o", "parent=lo", "x"], "loopback interface is not a valid macvlan parent link"],
  [["-d", "macvlan", "-o", "parent=up0.5000", "x"], "vlan id must be between 1-4094, received: 5000"],
  [
    ["-d", "ipvlan", "-o", "parent=up0.x", "x"],
    "unable to parse a valid vlan id from: x (ex. eth0.10 for vlan 10)",
  ],
  [
    ["-d", "ipvlan", "-o", "parent=up0.5.6", "x"],
    "required interface name format is: name.vlan_id, ex. eth0.10 for vlan 10, instead received up0.5.6",
  ],
  [
    ["-d", "ipvlan", "-o", "parent=up0", "-o", "ipvlan_mode=l9", "x"],
    /requested ipvlan mode 'l9' is not valid/,
  ],
];

test("what cannot be is refused in one sentence, and nothing is made", can, async () => {
  await create("there", "--subnet", "10.63.0.0/16");
  const before = engine.inside("sh", "-c", "ip link; ip -4 addr");
  const listed = await engine.ok(["network", "ls"]);
  for (const [words, message] of refusals) {
    const { code, stderr } = await engine.cais(["network", "create", ...words]);
    assert.equal(code, 1, words.join(" "));
    const said = stderr.replace(/^Error response from daemon: /, "").replace(/\n$/, "");
    if (typeof message === "string") assert.equal(said, message, words.join(" "));
    else assert.match(said, message, words.join(" "));
  }
  const lost = await engine.cais(["network", "rm", "host", "nosuch", "there"]);
  assert.equal(lost.code, 1);
  assert.match(
    lost.stderr,
    /host is a pre-defined network and cannot be removed\n.*network nosuch not found/,
  );
  assert.equal(lost.stdout, "there\n");
  await create("there", "--subnet", "10.63.0.0/16");
  assert.equal(await engine.ok(["network", "ls", "--format", "{{.Name}}"]), "bridge\nhost\nnone\nthere");
  assert.equal(listed.split("\n").length, 5);
  assert.equal(
    engine.inside("sh", "-c", "ip link; ip -4 addr").split("\n").length,
    before.split("\n").length,
  );
  await engine.ok(["network", "rm", "there"]);
});

test("the default network leaves 172.17.0.0/16 to a host that has it", can, async () => {
  await using other = await startEngine([], undefined, undefined, "own");
  const { Subnet } = JSON.parse(await other.ok(["network", "inspect", "bridge"]))[0].IPAM.Config[0];
  assert.equal(Subnet, "172.17.0.0/16");
  other.inside(
    "sh",
    "-euc",
    "ip link add t0 type veth peer name t1; ip addr add 172.17.9.1/24 dev t0; ip link set t0 up",
  );
  await other.stop();
  await other.start();
  const moved = JSON.parse(await other.ok(["network", "inspect", "bridge"]))[0].IPAM.Config[0];
  assert.deepEqual(moved, { Subnet: "172.18.0.0/16", Gateway: "172.18.0.1" });
});

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { busyboxMissing } from "../support/fixtures.ts";
import { needs, program, root } from "../support/skip.ts";
import { makeScene } from "./scene.ts";

const possible = needs(root(), busyboxMissing(), program("ip"));

const ip = (...args: readonly string[]) => execFileSync("ip", args, { encoding: "utf8" });

let count = 0;

/** One end of a virtual cable of this machine, up and with addresses; whatever is left of it goes. */
function makeDevice(): Disposable & { readonly name: string } {
  const name = `cd${process.pid}x${count++}`;
  ip("link", "add", name, "mtu", "1400", "type", "veth", "peer", "name", `${name}p`);
  ip("link", "set", `${name}p`, "up");
  ip("address", "add", "198.51.100.7/24", "dev", name);
  ip("address", "add", "203.0.113.9/32", "dev", name);
  ip("address", "add", "169.254.3.4/16", "scope", "link", "dev", name);
  ip("address", "add", "2001:db8::7/64", "nodad", "dev", name);
  ip("address", "add", "2001:db8::99/64", "valid_lft", "3600", "preferred_lft", "3600", "dev", name);
  ip("link", "set", name, "up");
  return { name, [Symbol.dispose]: () => void spawnSync("ip", ["link", "delete", name]) };
}

/** What the machine has of an interface: its addresses that last, and whether it is up. */
function seen(name: string): readonly string[] | undefined {
  const { status, stdout } = spawnSync("ip", ["-json", "address", "show", "dev", name], { encoding: "utf8" });
  if (status !== 0) return undefined;
  const [link] = JSON.parse(stdout) as {
    flags: string[];
    addr_info: { local: string; prefixlen: number; scope: string; dynamic?: boolean }[];
  }[];
  const lasting =
    link?.addr_info.filter(({ dynamic, scope }) => scope === "global" && dynamic !== true) ?? [];
  return [
    link?.flags.includes("UP") ? "up" : "down",
    ...lasting.map(({ local, prefixlen }) => `${local}/${prefixlen}`).sort(),
  ];
}

const ALL = ["up", "198.51.100.7/24", "2001:db8::7/64", "203.0.113.9/32"];

test(
  "a container gets interfaces of the machine with what they have for good, under another name",
  possible,
  async () => {
    await using scene = makeScene();
    using one = makeDevice();
    using two = makeDevice();
    const look = "ip address show mine0; echo; ip address show; ip route";
    const bundle = scene.bundle("net", {
      args: ["sh", "-c", look],
      linux: { netDevices: { [one.name]: { name: "mine0" }, [two.name]: { name: "net%d" } } },
    });
    const said = await scene.cais.ok(["run", "--bundle", bundle, "net"]);
    const [mine = "", all = ""] = said.split("\n\n");
    for (const expected of [
      "UP",
      "mtu 1400",
      "inet 198.51.100.7/24",
      "inet 203.0.113.9/32",
      "inet6 2001:db8::7/64",
    ])
      assert.ok(mine.includes(expected), `${expected}\n${said}`);
    assert.doesNotMatch(mine, /169\.254|2001:db8::99/, "neither what is for the link only, nor what ends");
    assert.match(all, /: net0[@:].*UP/);
    assert.match(all, /198\.51\.100\.0\/24 dev mine0/);
    assert.equal(seen(one.name), undefined, "what is virtual has gone with its namespace");
  },
);

test("a namespace that outlives the container keeps the interface", possible, async () => {
  await using scene = makeScene();
  using device = makeDevice();
  const space = `cais-net-${process.pid}`;
  ip("netns", "add", space);
  try {
    const bundle = scene.bundle("net", {
      args: ["true"],
      linux: {
        namespaces: [
          ...["pid", "mount", "ipc", "uts"].map((type) => ({ type: type as "pid" })),
          { type: "network", path: `/run/netns/${space}` },
        ],
        netDevices: { [device.name]: { name: "kept0" } },
      },
    });
    await scene.cais.ok(["run", "--bundle", bundle, "net"]);
    assert.match(ip("-n", space, "address", "show", "kept0"), /UP[\s\S]*198\.51\.100\.7\/24/);
    using other = makeDevice();
    const again = scene.bundle("again", {
      args: ["true"],
      linux: {
        namespaces: [{ type: "mount" }, { type: "uts" }, { type: "network", path: `/run/netns/${space}` }],
        netDevices: { [other.name]: { name: "kept0" } },
      },
    });
    const ended = await scene.cais.run(["run", "--bundle", again, "again"]);
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, /kept0.*EEXIST.*another name/);
    assert.deepEqual(seen(other.name), ALL, "it is as it was");
  } finally {
    ip("netns", "delete", space);
  }
});

test("what fails later gives the interfaces back as they were", possible, async () => {
  await using scene = makeScene();
  using one = makeDevice();
  using two = makeDevice();
  const netDevices = { [one.name]: { name: "a0" }, [two.name]: { name: "b%d" } };
  const fails = [{ path: "/bin/false" }];
  for (const [name, more] of Object.entries({
    hook: { spec: { hooks: { createRuntime: fails } }, args: ["true"] },
    inside: { spec: { hooks: { createContainer: fails } }, args: ["true"] },
    workload: { args: ["/no/such/program"] },
  })) {
    const bundle = scene.bundle(name, { ...more, linux: { netDevices } });
    const ended = await scene.cais.run(["run", "--bundle", bundle, name]);
    assert.notEqual(ended.code, 0);
    assert.deepEqual(seen(one.name), ALL, `${name}: ${ended.stderr}`);
    assert.deepEqual(seen(two.name), ALL, name);
  }
});

test("users of its own are no hindrance, sysctls find the interface, hooks too", possible, async () => {
  await using scene = makeScene();
  using device = makeDevice();
  const mapping = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
  const out = join(scene.directory, "out");
  const bundle = scene.bundle("users", {
    args: ["sh", "-c", "ip address show in0; cat /proc/sys/net/ipv4/conf/in0/forwarding"],
    spec: {
      hooks: {
        createRuntime: [
          {
            path: "/bin/sh",
            args: ["sh", "-c", `pid=$(sed 's/.*"pid":\\([0-9]*\\).*/\\1/'); cat /proc/$pid/net/dev > ${out}`],
          },
        ],
      },
    },
    linux: {
      uidMappings: mapping,
      gidMappings: mapping,
      namespaces: (["pid", "mount", "ipc", "uts", "network", "user"] as const).map((type) => ({ type })),
      sysctl: { "net.ipv4.conf.in0.forwarding": "1" },
      netDevices: { [device.name]: { name: "in0" } },
    },
  });
  execFileSync("chmod", ["-R", "a+rX", scene.directory]);
  const said = await scene.cais.ok(["run", "--bundle", bundle, "users"]);
  assert.match(said, /inet 198\.51\.100\.7\/24[\s\S]*^1$/m);
  assert.match(execFileSync("cat", [out], { encoding: "utf8" }), /in0:/);
});

test("what cannot be moved is refused by name", possible, async () => {
  await using scene = makeScene();
  using device = makeDevice();
  const network = [{ type: "mount" }, { type: "uts" }, { type: "network" }] as const;
  const refused: readonly (readonly [object, RegExp])[] = [
    [{ netDevices: { nosuch0: {} } }, /linux\.netDevices\.nosuch0: this machine has no such interface/],
    [{ netDevices: { lo: { name: "lo1" } } }, /linux\.netDevices\.lo: .*loopback/],
    [{ netDevices: { [device.name]: { name: "a/b" } } }, /no name of an interface/],
    [{ netDevices: { [device.name]: { name: "sixteen-letters0" } } }, /no name of an interface/],
    [{ netDevices: { [device.name]: { name: "a%d%d" } } }, /only one %d/],
    [
      { netDevices: { [device.name]: { name: "x" }, nosuch0: { name: "x" } } },
      /two interfaces would be called x/,
    ],
    [
      { netDevices: { [device.name]: {} }, namespaces: [{ type: "mount" }, { type: "uts" }] },
      /unable to move network devices without a NET namespace/,
    ],
    [
      {
        netDevices: { [device.name]: {} },
        namespaces: [
          { type: "mount" },
          { type: "uts" },
          { type: "network", path: `/proc/${process.pid}/ns/net` },
        ],
      },
      /EEXIST/,
    ],
  ];
  for (const [index, [linux, expected]] of refused.entries()) {
    const bundle = scene.bundle(`no${index}`, { args: ["true"], linux: { namespaces: network, ...linux } });
    const ended = await scene.cais.run(["run", "--bundle", bundle, "no"]);
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, expected);
  }
  assert.deepEqual(seen(device.name), ALL);
  assert.equal(await scene.cais.ok(["list", "--quiet"]), "");
});

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Bridge, Endpoint } from "../../../src/network/endpoint.ts";
import { bridgePlan } from "../../../src/network/wires/bridge.ts";
import { connectPlan, disconnectPlan, reroutePlan } from "../../../src/network/wires/live.ts";
import { removeLinkPlan } from "../../../src/network/wires/parent.ts";
import { runPlan } from "../../../src/plan/run.ts";
import { ip, run, sh } from "../../network/look.ts";
import { here } from "../../network/topology.ts";
import { busyboxMissing } from "../../support/fixtures.ts";
import { enterOwnNetwork, type OwnNetwork } from "../../support/netns.ts";
import { needs, program, root } from "../../support/skip.ts";
import { makeScene, type Scene, shell } from "./scene.ts";

// Containers on bridges: what both ends look like, how it goes away, and the same while they run.

const can = { ...needs(root(), busyboxMissing(), program("ip", "iproute2")), timeout: 30_000 };
let scene: Scene;
let own: OwnNetwork;

const BRIDGE: Bridge = {
  network: "web",
  name: "cais0",
  mtu: 1450,
  addresses: [
    { address: "172.17.0.1", bits: 16 },
    { address: "fd00:17::1", bits: 64 },
  ],
  forward4: true,
  forward6: true,
  routeLocalnet: true,
};

before(async () => {
  if (can.skip !== undefined) return;
  own = await enterOwnNetwork();
  sh("ip link set lo up");
  await runPlan(bridgePlan(BRIDGE));
  scene = await makeScene();
});
after(async () => {
  await scene?.[Symbol.asyncDispose]();
  own?.leave();
});

const endpoint = (number: number, change: Partial<Endpoint> = {}): Endpoint => ({
  network: "web",
  interface: "eth0",
  link: { driver: "bridge", bridge: "cais0", host: `vethabcd00${number}` },
  mac: `02:42:ac:11:00:0${number}`,
  mtu: 1450,
  addresses: [{ address: `172.17.0.${number}`, bits: 16 }],
  defaultRoute4: { via: "172.17.0.1" },
  ...change,
});
const wanted = (...endpoints: readonly Endpoint[]) => ({ request: { endpoints } });
const links = () => ip("link show").map(({ ifname }) => String(ifname));
const sleep = shell("while :; do sleep 1000; done");

/** Starts a container, looks at it, ends it. */
async function within(id: string, endpoints: readonly Endpoint[], look: (pid: number) => unknown, more = {}) {
  const running = await scene.start(id, sleep, { ...wanted(...endpoints), ...more });
  try {
    await look(running.pid);
  } finally {
    running.signal(9);
    await scene.finish(running);
    await scene.quiet();
  }
}

test("a bridge has its addresses, MTU and settings, and a MAC address that stays", can, async () => {
  const [link] = ip("link show cais0");
  assert.equal(link?.mtu, 1450);
  const mac = String(link?.address);
  assert.match(mac, /^02:42:/);
  assert.equal(sh("cat /proc/sys/net/ipv4/ip_forward").trim(), "1");
  assert.equal(sh("cat /proc/sys/net/ipv4/conf/cais0/route_localnet").trim(), "1");
  assert.equal(sh("cat /proc/sys/net/ipv4/conf/lo/route_localnet").trim(), "0");
  await within("mac", [endpoint(2)], () => assert.equal(ip("link show cais0")[0]?.address, mac));
  assert.equal(ip("link show cais0")[0]?.address, mac);
});

test("a bridge that cannot be finished is not there; one of somebody else's stays", can, async () => {
  await assert.rejects(
    runPlan(bridgePlan({ ...BRIDGE, name: "cais1", addresses: [{ address: "172.17.0.1", bits: 99 }] })),
    /Cannot give cais1 the address 172\.17\.0\.1/,
  );
  assert.deepEqual(links(), ["lo", "cais0"]);
  await assert.rejects(runPlan(bridgePlan({ ...BRIDGE, name: "cais0" })), /EEXIST/);
  assert.deepEqual(links(), ["lo", "cais0"]);
  await runPlan(removeLinkPlan("cais7"));
});

test("a container has its interface, address and routes; the host the other end", can, () =>
  within("plain", [endpoint(2, { sysctls: { "net.ipv4.conf.eth0.log_martians": "1" } })], (pid) => {
    const [lo, eth0] = ip("address show", pid);
    assert.deepEqual(
      [lo?.ifname, String(lo?.flags).includes("UP"), eth0?.ifname, eth0?.mtu, eth0?.address],
      ["lo", true, "eth0", 1450, "02:42:ac:11:00:02"],
    );
    assert.match(
      JSON.stringify(eth0?.addr_info),
      /^\[\{"family":"inet","local":"172\.17\.0\.2","prefixlen":16,"broadcast":"172\.17\.255\.255","scope":"global","label":"eth0",/,
    );
    // An IPv4-only network has no IPv6 in the container, but loopback does.
    assert.doesNotMatch(JSON.stringify(eth0?.addr_info), /inet6/);
    assert.match(JSON.stringify(lo?.addr_info), /"::1"/);
    assert.deepEqual(
      ip("route show", pid).map(({ dev, dst, gateway, prefsrc }) => [dst, gateway ?? prefsrc, dev]),
      [
        ["default", "172.17.0.1", "eth0"],
        ["172.17.0.0/16", "172.17.0.2", "eth0"],
      ],
    );
    const [host] = ip("link show vethabcd002");
    assert.deepEqual([host?.master, host?.mtu, host?.operstate], ["cais0", 1450, "UP"]);
    assert.equal(host?.link_index, eth0?.ifindex);
    assert.equal(eth0?.link_index, host?.ifindex);
    const inside = `nsenter --net=/proc/${pid}/ns/net cat /proc/sys/net`;
    assert.equal(
      sh(`${inside}/ipv4/conf/eth0/log_martians ${"/proc/sys/net"}/ipv6/conf/eth0/disable_ipv6`),
      "1\n1\n",
    );
  }),
);

test(
  "containers of one kind differ in their addresses, though their program is compiled once",
  can,
  async () => {
    const ids = [3, 4, 5].map((number) => ({ number, id: String(number).repeat(64) }));
    for (const { id, number } of ids) {
      await within(id, [endpoint(number)], (pid) => {
        assert.match(JSON.stringify(ip("address show eth0", pid)), new RegExp(`"172\\.17\\.0\\.${number}"`));
        assert.equal(ip("link show eth0", pid)[0]?.address, `02:42:ac:11:00:0${number}`);
        assert.deepEqual(links(), ["lo", "cais0", `vethabcd00${number}`]);
      });
      assert.deepEqual(links(), ["lo", "cais0"]);
    }
  },
);

test("both families, several interfaces, extra routes", can, () =>
  within(
    "many",
    [
      endpoint(2, {
        addresses: [
          { address: "172.17.0.2", bits: 16 },
          { address: "fd00:17::2", bits: 64 },
        ],
        defaultRoute6: { via: "fd00:17::1" },
      }),
      {
        network: "db",
        interface: "eth1",
        link: { driver: "bridge", bridge: "cais0", host: "vethabcd003", isolated: true },
        addresses: [{ address: "10.5.0.2", bits: 24 }],
        routes: [{ to: { address: "10.6.0.0", bits: 16 }, via: "10.5.0.1" }],
      },
    ],
    (pid) => {
      assert.deepEqual(
        ip("route show", pid).map(({ dev, dst }) => `${dst} ${dev}`),
        ["default eth0", "10.5.0.0/24 eth1", "10.6.0.0/16 eth1", "172.17.0.0/16 eth0"],
      );
      const [, eth0] = ip("-6 address show", pid);
      // No duplicate address detection: it can be used at once.
      assert.match(JSON.stringify(eth0), /"local":"fd00:17::2","prefixlen":64,"scope":"global","nodad":true/);
      assert.match(JSON.stringify(ip("-6 route show default", pid)), /"gateway":"fd00:17::1"/);
      assert.match(run("ip", ["-d", "link", "show", "vethabcd003"]), /isolated on/);
    },
  ),
);

test("own users own their network", can, () =>
  within(
    "users",
    [endpoint(2)],
    (pid) => {
      assert.match(JSON.stringify(ip("address show eth0", pid)), /172\.17\.0\.2/);
    },
    { namespaces: ["user"] },
  ),
);

test("a container's first packet arrives", can, async () => {
  const host = here();
  await host.serve(7777);
  try {
    // An ARP request that is lost is repeated after a second only.
    let arrived = 0;
    for (let round = 0; round < 10; round++) {
      const { stdout } = await scene.do(["nc", "-w", "1", "172.17.0.1", "7777"], wanted(endpoint(2)));
      if (stdout === "172.17.0.2") arrived++;
      await scene.quiet();
    }
    // Before Linux 6.8 the kernel acts on a carrier in its own time.
    const [major = 0, minor = 0] = release().split(".").map(Number);
    const least = major > 6 || (major === 6 && minor >= 8) ? 10 : 7;
    assert.ok(arrived >= least, `${arrived} of 10`);
  } finally {
    host.end();
  }
});

test(
  "the host's end goes when the container is released, though another one is still in its network",
  can,
  async () => {
    const running = await scene.start("owner", sleep, wanted(endpoint(2)));
    const guest = spawn("nsenter", [`--net=/proc/${running.pid}/ns/net`, "sleep", "1000"], {
      stdio: "ignore",
    });
    try {
      while (run("readlink", [`/proc/${guest.pid}/ns/net`]) === run("readlink", ["/proc/self/ns/net"]));
      running.signal(9);
      await scene.finish(running);
      await scene.quiet();
      assert.deepEqual(links(), ["lo", "cais0"]);
    } finally {
      guest.kill("SIGKILL");
    }
  },
);

test("a killed keeper leaves no interface", can, async () => {
  const running = await scene.start("killed", sleep, wanted(endpoint(2)));
  process.kill(running.keeper.pid, "SIGKILL");
  await running.exited;
  running.release();
  for (let tries = 0; links().length > 2 && tries < 200; tries++)
    await new Promise((done) => setTimeout(done, 10));
  assert.deepEqual(links(), ["lo", "cais0"]);
});

test("what cannot be wired is one sentence, and nothing is left", can, async () => {
  const fails = async (one: Endpoint, message: RegExp) => {
    await assert.rejects(scene.start("bad", ["true"], wanted(one)), message);
    for (let tries = 0; links().length > 2 && tries < 200; tries++)
      await new Promise((done) => setTimeout(done, 10));
    assert.deepEqual(links(), ["lo", "cais0"]);
  };
  await fails(
    endpoint(2, { link: { driver: "bridge", bridge: "br-gone", host: "vethabcd002" } }),
    /^StepError: Cannot find br-gone, the host's interface of network web: ioctl: no such device \(ENODEV\); br-gone has been removed: /,
  );
  await fails(
    endpoint(2, { defaultRoute4: { via: "10.9.9.9" }, option: "--network web" }),
    /^StepError: Cannot let everything else be reached through eth0 \(--network web\): ip route add: .* \(ENETUNREACH\); the gateway must be within/,
  );
  await fails(
    endpoint(2, { link: { driver: "bridge", bridge: "cais0", host: "lo" } }),
    /\(EEXIST\); an interface of that name is there already/,
  );
  await fails(
    endpoint(2, { link: { driver: "ipvlan", parent: "lo", mode: "l2", flag: "bridge" } }),
    /Cannot connect the container to network web: ip link add: /,
  );
});

test("macvlan: an interface of the container's own on the parent", can, async () => {
  sh("ip link add base type veth peer name far; ip link set base up; ip link set far up");
  try {
    const link = { driver: "macvlan", parent: "base", mode: "bridge" } as const;
    await within("macvlan", [endpoint(2, { link })], (pid) => {
      assert.match(
        run("nsenter", [`--net=/proc/${pid}/ns/net`, "ip", "-d", "link", "show", "eth0"]),
        /macvlan mode bridge/,
      );
      assert.match(JSON.stringify(ip("address show eth0", pid)), /172\.17\.0\.2/);
    });
  } finally {
    sh("ip link delete base");
  }
});

test("a running container is connected and disconnected", can, () =>
  within("live", [endpoint(2)], async (pid) => {
    const second = endpoint(3, {
      interface: "eth1",
      addresses: [{ address: "10.8.0.2", bits: 24 }],
      defaultRoute4: { via: "10.8.0.1" },
    });
    await runPlan(connectPlan(pid, second));
    assert.deepEqual(
      ip("address show", pid).map(({ ifname }) => ifname),
      ["lo", "eth0", "eth1"],
    );
    const gateway = () => ip("route show default", pid).map(({ dev, gateway: via }) => `${dev} ${via}`);
    assert.deepEqual(gateway(), ["eth1 10.8.0.1"]);
    assert.ok(links().includes("vethabcd003"));
    // What cannot be done leaves neither end.
    await assert.rejects(
      runPlan(
        connectPlan(pid, {
          ...endpoint(4),
          interface: "eth2",
          addresses: [{ address: "10.0.0.1", bits: 77 }],
        }),
      ),
      /Cannot give eth2 its address/,
    );
    assert.equal(links().includes("vethabcd004"), false);
    await runPlan(disconnectPlan(pid, second));
    await runPlan(disconnectPlan(pid, second));
    assert.deepEqual(gateway(), []);
    await runPlan(reroutePlan(pid, endpoint(2)));
    assert.deepEqual(gateway(), ["eth0 172.17.0.1"]);
    assert.deepEqual(links(), ["lo", "cais0", "vethabcd002"]);
  }),
);

test("its script makes the same network by hand", can, async () => {
  const text = "ip -o addr show eth0 | cut -d' ' -f2-; ip route; cat /sys/class/net/eth0/address";
  const { stdout } = await scene.do(shell(text), wanted(endpoint(2)));
  await scene.quiet();
  const request = scene.request("byhand", shell(text), wanted(endpoint(2)));
  const directory = mkdtempSync(join(tmpdir(), "cais-test-wires-"));
  try {
    const path = join(directory, "script");
    writeFileSync(path, scene.launcher.explain(request, "script"));
    const result = spawnSync("sh", [path], { encoding: "utf8", timeout: 20_000 });
    assert.equal(result.stdout.replaceAll(/@if\d+/g, ""), stdout.replaceAll(/@if\d+/g, ""), result.stderr);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

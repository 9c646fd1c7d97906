import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { startEngine, type TestEngine } from "../support/engine.ts";
import { busyboxMissing, busyboxTar } from "../support/fixtures.ts";
import { needs, program, root } from "../support/skip.ts";
import { type OtherHost, otherHost, THERE } from "./outside.ts";

const can = needs(root(), busyboxMissing(), program("ip", "iproute2"));

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

const SUBNET = ["--subnet", "203.0.113.0/24", "--ip-range", "203.0.113.128/25", "--gateway", THERE.ipv4];
/** Whether the kernel of this machine makes interfaces of that kind. */
const has = (kind: string): boolean => {
  try {
    engine.inside("sh", "-c", `ip link add probe0 link wire type ${kind} && ip link delete probe0`);
    return true;
  } catch {
    return false;
  }
};

test(
  "macvlan: containers are on the parent's network with addresses of their own, not the host's",
  can,
  async () => {
    if (!has("macvlan")) return;
    const before = engine.inside("ip", "-br", "link");
    await engine.ok(["network", "create", "-d", "macvlan", "-o", "parent=wire", ...SUBNET, "lan"]);
    await engine.ok(["run", "-d", "--name", "one", "--network", "lan", "busybox", "sleep", "1000"]);
    await engine.ok(["run", "-d", "--name", "two", "--network", "lan", "busybox", "sleep", "1000"]);
    assert.equal(await engine.ok(["exec", "one", "nc", "-w", "2", THERE.ipv4, "7000"]), "203.0.113.128");
    await engine.ok(["exec", "one", "ping", "-c1", "-W1", "203.0.113.129"]);
    assert.match(
      await engine.ok(["exec", "one", "ip", "route"]),
      new RegExp(`^default via ${THERE.ipv4} dev eth0`),
    );
    assert.equal(engine.inside("ip", "-br", "link"), before, "nothing on the host");
    // Live, too: a further interface on the same parent.
    await engine.ok(["run", "-d", "--name", "later", "busybox", "sleep", "1000"]);
    await engine.ok(["network", "connect", "lan", "later"]);
    assert.match(
      await engine.ok(["exec", "later", "ip", "-o", "addr", "show", "eth1"]),
      /203\.0\.113\.130\/24/,
    );
    await engine.ok(["network", "disconnect", "lan", "later"]);
    await engine.ok(["rm", "-f", "one", "two", "later"]);
    // The interface is gone when its container is: the next one has its address, and with it its MAC address, at once.
    for (let round = 0; round < 8; round++) {
      const words = ["run", "-d", "--name", "again", "--network", "lan", "--ip", "203.0.113.200"];
      await engine.ok([...words, "busybox", "sleep", "1000"]);
      await engine.ok(["rm", "-f", "again"]);
    }
    // So is one that it got while it ran, also where the engine that gave it was killed.
    for (const killed of [false, true]) {
      await engine.ok(["run", "-d", "--name", "again", "busybox", "sleep", "1000"]);
      await engine.ok(["network", "connect", "--ip", "203.0.113.201", "lan", "again"]);
      // However long the kernel would take to clear up: somebody else is in there.
      const pid = await engine.ok(["inspect", "-f", "{{.State.Pid}}", "again"]);
      const inside = ["-n", "-t", pid, "sh", "-c", "echo; exec sleep 1000"];
      const other = spawn("nsenter", inside, { stdio: ["ignore", "pipe", "inherit"] });
      await once(other.stdout, "data");
      try {
        if (killed) {
          await engine.kill();
          await engine.start();
        }
        await engine.ok(["rm", "-f", "again"]);
        await engine.ok(["run", "--rm", "--network", "lan", "--ip", "203.0.113.201", "busybox", "true"]);
      } finally {
        other.kill("SIGKILL");
        await once(other, "exit");
      }
    }
    const taken = await engine.cais([
      "network",
      "create",
      "-d",
      "ipvlan",
      "-o",
      "parent=wire",
      "--subnet",
      "10.1.0.0/24",
      "x",
    ]);
    assert.match(taken.stderr, /network lan is already using parent interface wire/);
    await engine.ok(["network", "rm", "lan"]);
  },
);

test(
  "where nobody answers questions, names are in the hosts files, as long as their containers are there",
  can,
  async () => {
    if (!has("macvlan")) return;
    await engine.ok(["network", "create", "-d", "macvlan", "-o", "parent=wire", ...SUBNET, "lan"]);
    for (const name of ["one", "two"])
      await engine.ok(["run", "-d", "--name", name, "--network", "lan", "busybox", "sleep", "1000"]);
    const seen = (name: string): Promise<string> =>
      engine.ok(["exec", name, "sh", "-c", "grep 'on network lan' /etc/hosts | cut -d' ' -f1,2"]);
    assert.match(await seen("one"), /^203\.0\.113\.129\ttwo [0-9a-f]{12}$/);
    await engine.ok(["exec", "one", "ping", "-c1", "-W1", "two"]);
    await engine.ok(["exec", "two", "ping", "-c1", "-W1", "one"]);
    await engine.ok([
      "run",
      "-d",
      "--name",
      "third",
      "--network",
      "lan",
      "--network-alias",
      "db",
      "busybox",
      "sleep",
      "1000",
    ]);
    await engine.ok(["exec", "one", "ping", "-c1", "-W1", "db"]);
    await engine.ok(["rename", "third", "fourth"]);
    await engine.ok(["exec", "one", "ping", "-c1", "-W1", "fourth"]);
    assert.doesNotMatch(await engine.ok(["exec", "one", "cat", "/etc/hosts"]), /third/);
    // What people wrote stays, whatever comes and goes, and whoever is killed.
    await engine.ok(["exec", "one", "sh", "-c", "echo 192.0.2.9 own >> /etc/hosts"]);
    await engine.kill();
    await engine.start();
    await engine.ok(["rm", "-f", "fourth"]);
    assert.match(await seen("one"), /^203\.0\.113\.129\ttwo [0-9a-f]{12}$/);
    await engine.ok(["exec", "one", "ping", "-c1", "-W1", "two"]);
    assert.match(await engine.ok(["exec", "one", "cat", "/etc/hosts"]), /^192\.0\.2\.9 own$/m);
    await engine.ok(["rm", "-f", "one", "two"]);
    await engine.ok(["network", "rm", "lan"]);
  },
);

test(
  "ipvlan: the same with the parent's MAC address, or a clear sentence where the kernel has none",
  can,
  async () => {
    await engine.ok(["network", "create", "-d", "ipvlan", "-o", "parent=wire", ...SUBNET, "lan"]);
    const words = ["run", "--rm", "--network", "lan", "busybox", "nc", "-w", "2", THERE.ipv4, "7000"];
    const ended = await engine.cais(words);
    if (has("ipvlan")) assert.equal(ended.stdout, "203.0.113.128\n");
    else
      assert.match(ended.stderr, /EOPNOTSUPP.*this kernel has no ipvlan \(CONFIG_IPVLAN\).*another driver/);
    assert.equal(await engine.ok(["ps", "-aq"]), "");
    await engine.ok(["network", "rm", "lan"]);
  },
);

import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestEngine } from "../support/engine.ts";
import { busyboxMissing } from "../support/fixtures.ts";
import { needs, program, root } from "../support/skip.ts";
import { suiteEngine } from "../support/suite.ts";

const can = needs(root(), busyboxMissing(), program("ip", "iproute2"));

let engine: TestEngine;
suiteEngine(can, "busybox", (started) => {
  engine = started;
});

const sleeper = (...options: readonly string[]) =>
  engine.ok(["run", "-d", ...options, "busybox", "sleep", "1000"]);
const inside = (name: string, ...words: readonly string[]) => engine.ok(["exec", name, ...words]);
const places = async (name: string) =>
  JSON.parse(await engine.ok(["inspect", "-f", "{{json .NetworkSettings.Networks}}", name]));
/** Links, addresses, rules and networks; whether a bridge has noticed that its last port has gone does not matter. */
const look = async () =>
  engine
    .inside("sh", "-c", "ip -4 addr; nft -s list ruleset 2>/dev/null")
    .replace(/<[^>]*>| state [A-Z]+/g, "") + (await engine.ok(["network", "ls"]));
const refused = async (words: readonly string[], message: RegExp | string) => {
  const ended = await engine.cais(words);
  assert.notEqual(ended.code, 0, words.join(" "));
  if (typeof message === "string") assert.equal(ended.stderr, `Error response from daemon: ${message}\n`);
  else assert.match(ended.stderr, message);
};

test(
  "connect and disconnect a running container: interfaces come and go, the others stay as they are",
  can,
  async () => {
    await engine.ok(["network", "create", "near", "--subnet", "10.82.0.0/24"]);
    await sleeper("--name", "moving");
    await sleeper("--name", "there", "--network", "near");
    const before = await inside("moving", "ip", "-o", "link", "show", "eth0");
    await engine.ok(["network", "connect", "--ip", "10.82.0.9", "--alias", "mover", "near", "moving"]);
    assert.match(await inside("moving", "ip", "-o", "addr", "show", "eth1"), /inet 10\.82\.0\.9\/24/);
    assert.equal(await inside("moving", "ip", "-o", "link", "show", "eth0"), before);
    await inside("there", "ping", "-c1", "-W1", "10.82.0.9");
    assert.match(await inside("moving", "ip", "route"), /^default via 172\.17\.0\.1 dev eth0/);
    const { near } = await places("moving");
    assert.deepEqual(near.Aliases, ["mover"]);
    assert.equal(near.IPAddress, "10.82.0.9");
    assert.equal(near.DNSNames[1], "mover");

    await engine.ok(["network", "disconnect", "bridge", "moving"]);
    assert.deepEqual(Object.keys(await places("moving")), ["near"]);
    assert.match(await inside("moving", "ip", "route"), /^default via 10\.82\.0\.1 dev eth1/);
    await engine.ok(["network", "disconnect", "near", "moving"]);
    assert.equal(await inside("moving", "ls", "/sys/class/net"), "lo");
    assert.deepEqual(await places("moving"), {});
    await engine.ok(["network", "connect", "near", "moving"]);
    assert.match(await inside("moving", "ip", "-o", "addr", "show", "eth0"), /inet 10\.82\.0\.3\/24/);
    await engine.ok(["rm", "-f", "moving", "there"]);
  },
);

test("gateway priority decides which network leads everywhere else, at the start and live", can, async () => {
  await engine.ok(["network", "create", "alpha", "--subnet", "10.83.1.0/24"]);
  await engine.ok(["network", "create", "omega", "--subnet", "10.83.2.0/24"]);
  await sleeper("--name", "chooses", "--network", "alpha", "--network", "name=omega,gw-priority=2");
  assert.match(await inside("chooses", "ip", "route"), /^default via 10\.83\.2\.1 dev eth1/);
  await sleeper("--name", "plain", "--network", "omega", "--network", "alpha");
  assert.match(
    await inside("plain", "ip", "route"),
    /^default via 10\.83\.1\.1 dev eth1/,
    "the first by name",
  );
  await engine.ok(["network", "connect", "--gw-priority", "5", "near", "plain"]);
  assert.match(await inside("plain", "ip", "route"), /^default via 10\.82\.0\.1 dev eth2/);
  await engine.ok(["network", "disconnect", "near", "plain"]);
  assert.match(await inside("plain", "ip", "route"), /^default via 10\.83\.1\.1 dev eth1/);
  await engine.ok(["rm", "-f", "chooses", "plain"]);
});

test("a container keeps its networks while it is down, and can be given others", can, async () => {
  await engine.ok(["create", "--name", "down", "busybox", "sleep", "1000"]);
  await engine.ok(["network", "connect", "near", "down", "--ip", "10.82.0.44"]);
  assert.equal((await places("down")).near.IPAddress, "");
  await engine.ok(["start", "down"]);
  assert.equal((await places("down")).near.IPAddress, "10.82.0.44");
  await engine.ok(["stop", "-t", "0", "down"]);
  assert.deepEqual(Object.keys(await places("down")).sort(), ["bridge", "near"]);
  assert.equal((await places("down")).bridge.IPAddress, "");
  await engine.ok(["network", "disconnect", "bridge", "down"]);
  await engine.ok(["start", "down"]);
  assert.equal(await inside("down", "ls", "/sys/class/net"), "eth0\nlo");
  await engine.ok(["rm", "-f", "down"]);
});

test("addresses, MAC addresses and interface names as they are asked for", can, async () => {
  const network = "name=near,ip=10.82.0.77,mac-address=02:42:0a:52:00:4d,alias=a1,alias=a2";
  const sysctl = "driver-opt=com.docker.network.endpoint.sysctls=net.ipv4.conf.IFNAME.log_martians=1";
  await sleeper(
    "--name",
    "exact",
    "--network",
    `${network},driver-opt=com.docker.network.endpoint.ifname=front0,${sysctl}`,
  );
  const { near } = await places("exact");
  assert.equal(near.MacAddress, "02:42:0a:52:00:4d");
  assert.deepEqual(near.Aliases, ["a1", "a2"]);
  assert.match(
    await inside("exact", "ip", "addr", "show", "front0"),
    /02:42:0a:52:00:4d[\s\S]* 10\.82\.0\.77\/24/,
  );
  assert.equal(await inside("exact", "cat", "/proc/sys/net/ipv4/conf/front0/log_martians"), "1");
  await refused(
    ["run", "--rm", "--network", "near", "--ip", "10.82.0.77", "busybox", "true"],
    /Address already in use/,
  );
  await engine.ok(["rm", "-f", "exact"]);
  await engine.ok(["run", "--rm", "--network", "near", "--ip", "10.82.0.77", "busybox", "true"]);
});

test("link-local addresses beside the network's own, at the start and live", can, async () => {
  await engine.ok([
    "network",
    "create",
    "--ipv6",
    "--subnet",
    "10.84.0.0/24",
    "--subnet",
    "fd84::/64",
    "link",
  ]);
  const asked = (four: string, six: string) => ["--link-local-ip", four, "--link-local-ip", six];
  await sleeper("--name", "near1", "--network", "link", ...asked("169.254.7.7", "fe80::254:77"));
  await sleeper("--name", "near2");
  await engine.ok(["network", "connect", ...asked("169.254.8.8", "fe80::254:88"), "link", "near2"]);
  assert.match(
    await inside("near2", "ip", "addr", "show", "eth1"),
    / 169\.254\.8\.8\/16 [\s\S]* fe80::254:88\/64 /,
  );
  await inside("near1", "ping", "-c1", "-W5", "169.254.8.8");
  await inside("near1", "ping", "-c1", "-W5", "fe80::254:88%eth0");
  await engine.ok(["restart", "-t", "0", "near2"]);
  await inside("near2", "ping", "-c1", "-W5", "169.254.7.7");
  await engine.ok(["network", "disconnect", "link", "near2"]);
  assert.doesNotMatch(await inside("near2", "ip", "addr"), /169\.254/);
  await refused(
    ["network", "connect", "--link-local-ip", "169.253.5.5", "link", "near2"],
    "invalid link local IP address: 169.253.5.5",
  );
  await refused(
    ["run", "--rm", "--link-local-ip", "fe80::9", "busybox", "true"],
    /invalid link local IP address: fe80::9: network bridge has no IPv6/,
  );
  await engine.ok(["rm", "-f", "near1", "near2"]);
  await engine.ok(["network", "rm", "link"]);
});

test("what cannot be is refused in Docker's words, and nothing is changed", can, async () => {
  await sleeper("--name", "steady");
  await sleeper("--name", "lonely", "--network", "none");
  await sleeper("--name", "hosted", "--network", "host");
  const before = await look();
  await refused(
    ["network", "connect", "bridge", "steady"],
    "endpoint with name steady already exists in network bridge",
  );
  await refused(["network", "connect", "nosuch", "steady"], "network nosuch not found");
  await refused(["network", "connect", "near", "nobody"], "No such container: nobody");
  await refused(
    ["network", "connect", "near", "lonely"],
    "container cannot be connected to multiple networks with one of the networks in private (none) mode",
  );
  await refused(
    ["network", "connect", "near", "hosted"],
    "container sharing network namespace with another container or host cannot be connected to any other network",
  );
  await refused(
    ["network", "connect", "host", "steady"],
    "cannot connect container to host network - container must be created in host network mode",
  );
  await refused(["network", "connect", "near", "steady", "--ip", "10.82.0.1"], "Address already in use");
  await refused(
    ["network", "connect", "near", "steady", "--ip", "10.9.9.9"],
    "invalid endpoint settings:\nno configured subnet or ip-range contain the IP address 10.9.9.9",
  );
  await refused(
    ["run", "--rm", "--ip", "172.17.0.9", "busybox", "true"],
    /user specified IP address is supported on user defined networks only/,
  );
  await refused(["run", "--rm", "--mac-address", "zz", "busybox", "true"], /zz is not a valid mac address/);
  await refused(["run", "--rm", "--network", "nosuch", "busybox", "true"], /network nosuch not found/);
  const id = await engine.ok(["inspect", "-f", "{{.Id}}", "steady"]);
  await refused(
    ["network", "disconnect", "near", "steady"],
    `container ${id} is not connected to network near`,
  );
  assert.equal(await look(), before);
  await engine.ok(["rm", "-f", "steady", "lonely", "hosted"]);
});

test("a connection whose port is taken is none: interface, names and files are as before", can, async () => {
  await engine.ok(["network", "create", "--internal", "within"]);
  await sleeper("--name", "first", "-p", "8080:80");
  await sleeper("--name", "second", "--network", "within", "-p", "8080:80");
  const all = async (): Promise<string> =>
    (await inside("second", "sh", "-c", "ip -o addr | grep eth; ip route; cat /etc/hosts /etc/resolv.conf")) +
    JSON.stringify(Object.keys(await places("second")));
  const before = await all();
  await refused(["network", "connect", "bridge", "second"], /port is already allocated/);
  assert.equal(await all(), before);
  await refused(["port", "second", "80"], /no public port '80' published/i);
  await engine.ok(["rm", "-f", "first"]);
  await engine.ok(["network", "connect", "bridge", "second"]);
  assert.match(await engine.ok(["port", "second"]), /:8080/);
  await engine.ok(["rm", "-f", "second"]);
  await engine.ok(["network", "rm", "within"]);
});

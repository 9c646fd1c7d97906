import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestEngine } from "../support/engine.ts";
import { busyboxMissing } from "../support/fixtures.ts";
import { needs, program, root } from "../support/skip.ts";
import { suiteEngine } from "../support/suite.ts";

/** Containers without IPv6 on networks that have it, and networks on which the host has no address. */

const can = needs(root(), busyboxMissing(), program("ip", "iproute2"));
const BRIDGE = "com.docker.network.bridge";
const NO_IPV6 = ["--sysctl", "net.ipv6.conf.all.disable_ipv6=1"];

let engine: TestEngine;
suiteEngine(can, "busybox", (started) => {
  engine = started;
});

const ok = (...words: readonly string[]): Promise<string> => engine.ok(words);
const sleeper = (name: string, ...options: readonly string[]) =>
  ok("run", "-d", "--name", name, ...options, "busybox", "sleep", "1000");

test(
  "a container whose IPv6 is off has no address of it, no name with one, and no line in hosts",
  can,
  async () => {
    await ok("network", "create", "--ipv6", "--subnet", "fd77::/64", "--subnet", "10.77.0.0/24", "both");
    await sleeper("six", "--network", "both");
    await sleeper("four", "--network", "both", ...NO_IPV6, "--add-host", "far:fd99::1", "--ip6", "fd77::77");
    const { both } = JSON.parse(await ok("inspect", "-f", "{{json .NetworkSettings.Networks}}", "four"));
    assert.deepEqual([both.GlobalIPv6Address, both.IPv6Gateway, both.GlobalIPv6PrefixLen], ["", "", 0]);
    const id = (await ok("inspect", "-f", "{{.Id}}", "four")).slice(0, 12);
    assert.equal(
      await ok("exec", "four", "cat", "/etc/hosts"),
      `127.0.0.1\tlocalhost\n${both.IPAddress}\t${id}`,
    );
    await ok("exec", "six", "ping", "-4", "-c1", "-W5", "four");
    const six = await engine.cais(["exec", "six", "ping", "-6", "-c1", "-W5", "four"]);
    assert.match(six.stderr, /bad address 'four'/);
    // Nobody has the address that it asked for and does not get.
    await ok("run", "--rm", "--network", "both", "--ip6", "fd77::77", "busybox", "true");
    await ok("rm", "-f", "six", "four");
    await ok("network", "rm", "both");
  },
);

test("with no address at all it has an interface all the same", can, async () => {
  await ok("network", "create", "--ipv4=false", "--ipv6", "only6");
  const seen = await ok("run", "--rm", "--network", "only6", ...NO_IPV6, "busybox", "ip", "-o", "link");
  assert.match(seen, /eth0@.* 02:42:/);
  await ok("network", "rm", "only6");
});

test("settings of an interface are taken as docker sends them, in small letters", can, async () => {
  for (const name of ["IFNAME", "ifname"]) {
    const option = `com.docker.network.endpoint.sysctls=net.ipv4.conf.${name}.log_martians=1`;
    const words = ["--network", `name=bridge,driver-opt=${option}`, "busybox"];
    assert.equal(await ok("run", "--rm", ...words, "sysctl", "-n", "net.ipv4.conf.eth0.log_martians"), "1");
  }
});

for (const [how, option] of [
  ["inhibit_ipv4", `${BRIDGE}.inhibit_ipv4=true`],
  ["isolated", `${BRIDGE}.gateway_mode_ipv4=isolated`],
] as const) {
  test(`two containers on an internal /31 find each other by name (${how})`, can, async () => {
    await ok("network", "create", "--internal", "--subnet", "10.78.0.0/31", "-o", option, "pair");
    await sleeper("one", "--network", "pair");
    await sleeper("two", "--network", "pair");
    await ok("exec", "two", "ping", "-c1", "-W5", "one");
    // Who was there first learns of those who come.
    await ok("exec", "one", "ping", "-c1", "-W5", "two");
    await ok("rm", "-f", "one", "two");
    await ok("network", "rm", "pair");
  });
}

test("an isolated network has names, and its bridge no address of any kind", can, async () => {
  await ok(
    ...["network", "create", "--internal", "--ipv6", "-o", `${BRIDGE}.name=apart0`],
    ...["-o", `${BRIDGE}.gateway_mode_ipv4=isolated`, "-o", `${BRIDGE}.gateway_mode_ipv6=isolated`, "apart"],
  );
  await sleeper("one", "--network", "apart");
  for (const family of ["-4", "-6"])
    await ok("run", "--rm", "--network", "apart", "busybox", "ping", family, "-c1", "-W5", "one");
  assert.equal(engine.inside("ip", "-o", "addr", "show", "dev", "apart0"), "");
  await ok("rm", "-f", "one");
  await ok("network", "rm", "apart");
});

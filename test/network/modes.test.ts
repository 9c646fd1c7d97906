import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { needs, program, root } from "../support/skip.ts";
import { HERE, LISTENS, type Neighbourhood, neighbourhood, THERE, webServer } from "./scene.ts";

/** Networks that lead to their containers in another way, or in one family only, from request to packet. */

const can = needs(root(), program("curl"), program("ip", "iproute2"));
const BRIDGE = "com.docker.network.bridge";
let hosts: Neighbourhood;
const ok = (...words: readonly string[]): Promise<string> => hosts.engine.ok(words);

before(async () => {
  if (!can.skip) hosts = await neighbourhood();
});
after(() => hosts?.[Symbol.asyncDispose]());

const serve = async (name: string, ...options: readonly string[]): Promise<void> => {
  await ok("run", "-d", "--name", name, ...options, "busybox", ...webServer(name));
  await ok("exec", name, "sh", "-c", LISTENS);
};
/** What is there, or nothing. */
const fetched = async (where: "here" | "there", at: string): Promise<string> =>
  (await hosts[where]("curl", "-sS", "-m", "2", `http://${at}/`)).stdout.trim();

test("a network of IPv6 alone has names, a way out, and ports of its own family", can, async () => {
  await ok("network", "create", "--ipv4=false", "--ipv6", "six");
  await serve("web", "--network", "six", "-p", "8080:80");
  const look = (...words: readonly string[]): Promise<string> =>
    ok("run", "--rm", "--network", "six", "busybox", ...words);
  assert.match(await look("cat", "/etc/resolv.conf"), /^nameserver fd[0-9a-f:]+::1\n/);
  assert.equal(await look("wget", "-qO-", "http://web/"), "web");
  await look("ping", "-c1", "-W2", THERE.ipv6);
  // As with Docker: IPv4 leads there only where it is asked for.
  assert.equal(await ok("port", "web"), "80/tcp -> [::]:8080");
  for (const [where, at] of [
    ["here", `[${HERE.ipv6}]:8080`],
    ["here", "[::1]:8080"],
    ["there", `[${HERE.ipv6}]:8080`],
  ] as const)
    assert.equal(await fetched(where, at), "web", at);
  assert.equal(await fetched("here", `${HERE.ipv4}:8080`), "");
  await serve("asked", "--network", "six", "-p", "127.0.0.1:8081:80");
  assert.equal(await fetched("here", "127.0.0.1:8081"), "asked");
  await ok("rm", "-f", "web", "asked");
  await ok("network", "rm", "six");
});

test(
  "in a routed network published ports are open at the containers' own addresses, and stay so",
  can,
  async () => {
    await ok("network", "create", "-o", `${BRIDGE}.gateway_mode_ipv4=routed`, "routed");
    await ok("network", "create", "nat");
    await serve("web", "--network", "routed", "-p", "8080:80");
    await serve("shut", "--network", "routed");
    const addressOf = (name: string): Promise<string> =>
      ok("inspect", "-f", "{{.NetworkSettings.Networks.routed.IPAddress}}", name);
    const [web, shut] = [await addressOf("web"), await addressOf("shut")];
    for (const address of [web, shut])
      await hosts.there("ip", "route", "add", `${address}/32`, "via", HERE.ipv4);
    const published = "80/tcp -> 0.0.0.0:\n80/tcp -> [::]:8080";
    const check = async (): Promise<void> => {
      assert.equal(await ok("port", "web"), published);
      assert.equal(await fetched("there", web), "web");
      assert.equal(await fetched("there", shut), "", "not published");
      assert.equal(await fetched("there", `${HERE.ipv4}:8080`), "", "on no port of the host");
      // From the other family only a proxy leads there.
      assert.equal(await fetched("there", `[${HERE.ipv6}]:8080`), "web");
    };
    await check();
    assert.match(
      await ok("ps", "--format", "{{.Ports}}", "--filter", "name=web"),
      /^0\.0\.0\.0:0->80\/tcp, /,
    );
    await hosts.engine.kill();
    await hosts.engine.start();
    await check();
    assert.match(await ok("reach", "web:80"), /other hosts +\S+:80 +yes +the network is routed/);
    assert.match(await ok("reach", "shut:80"), /other hosts +\S+:80 +no +only published ports come in/);
    // A network that translates leads everywhere else from now on: the port of the host is asked for then.
    await ok("network", "connect", "--gw-priority", "1", "nat", "web");
    assert.equal(await ok("port", "web"), "80/tcp -> 0.0.0.0:8080\n80/tcp -> [::]:8080");
    assert.equal(await fetched("there", `${HERE.ipv4}:8080`), "web");
    await ok("network", "disconnect", "nat", "web");
    await check();
    await ok("rm", "-f", "web", "shut");
  },
);

test("a trusted interface reaches published ports at the containers' own addresses", can, async () => {
  const [trusted, plain] = ["trusted", "plain"];
  await ok("network", "create", "-o", `${BRIDGE}.trusted_host_interfaces=nosuch0:wire`, trusted);
  await ok("network", "create", plain);
  for (const name of [trusted, plain]) {
    await serve(name, "--network", name, "-p", "80");
    const address = await ok("inspect", "-f", `{{.NetworkSettings.Networks.${name}.IPAddress}}`, name);
    await hosts.there("ip", "route", "add", `${address}/32`, "via", HERE.ipv4);
    assert.equal(await fetched("there", address), name === trusted ? name : "");
  }
  await ok("rm", "-f", trusted, plain);
});

test("prune removes networks that nobody is on, with their bridges", can, async () => {
  const bridges = async (): Promise<string> =>
    (await hosts.here("ip", "-o", "link", "show", "type", "bridge")).stdout;
  await ok("network", "prune", "-f");
  await ok("network", "create", "--label", "keep=yes", "kept");
  await ok("network", "create", "used");
  await ok("network", "create", "unused");
  await ok("run", "-d", "--name", "user", "--network", "used", "busybox", "sleep", "1000");
  const before = (await bridges()).trim().split("\n").length;
  assert.match(
    await ok("network", "prune", "-f", "--filter", "label!=keep=yes"),
    /^Deleted Networks:\nunused\n*$/,
  );
  assert.equal((await bridges()).trim().split("\n").length, before - 1);
  assert.equal(await ok("network", "ls", "--filter", "type=custom", "--format", "{{.Name}}"), "kept\nused");
  await ok("rm", "-f", "user");
  assert.match(await ok("network", "prune", "-f"), /kept/);
  assert.doesNotMatch(await bridges(), /: br-/);
});

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import type { Reach, ReachWay } from "../../src/wire/reach.ts";
import { needs, program, root } from "../support/skip.ts";
import { HERE, type Neighbourhood, neighbourhood, webServer } from "./scene.ts";

const skip = needs(root(), program("curl"), program("ip", "iproute2"), program("python3"));
let hosts: Neighbourhood;
const ok = (...words: readonly string[]): Promise<string> => hosts.engine.ok(words);
const reach = async (target: string): Promise<Reach> =>
  JSON.parse(await ok("reach", "--json", target)) as Reach;

before(async () => {
  if (skip.skip) return;
  hosts = await neighbourhood();
  await hosts.ask("POST", "/networks/create", { Name: "shop" });
  await hosts.ask("POST", "/networks/create", { Name: "far" });
  await hosts.ask("POST", "/networks/create", { Name: "inside", Internal: true });
});
after(() => hosts?.[Symbol.asyncDispose]());
afterEach(() => hosts?.clear());

const WEB = webServer("hello");

/** Containers of an internal network have no route out: what they would send is never seen. */
const sent = ({ rule, from }: ReachWay): boolean => rule !== "" && from !== "network inside";

/** Whether a client really gets an answer, from each place that `reach` speaks of. */
async function really(from: string, at: string): Promise<boolean> {
  const url = `http://${at.replace("0.0.0.0", HERE.ipv4).replace("[::]", `[${HERE.ipv6}]`)}/`;
  const words = ["curl", "-s", "-m", "2", "-o", "/dev/null", url];
  if (from === "this host") return (await hosts.here(...words)).code === 0;
  if (from === "other hosts") return (await hosts.there(...words)).code === 0;
  const network = from.replace("network ", "");
  const { code } = await hosts.inside(`client-${network}`, ...words);
  return code === 0;
}

for (const home of ["shop", "inside"]) {
  test(`what reach says of a container on ${home} is what happens`, skip, async () => {
    await hosts.there("ip", "route", "replace", "172.16.0.0/12", "via", HERE.ipv4);
    await ok(
      "run",
      "-d",
      "--name",
      "web",
      "--network",
      home,
      "-p",
      "8080:80",
      "-p",
      "127.0.0.1:8081:80",
      "busybox",
      ...WEB,
    );
    for (const network of ["bridge", "shop", "far", "inside"])
      await ok("run", "-d", "--name", `client-${network}`, "--network", network, "busybox", "sleep", "1000");
    const { ways, open, listening } = await reach("web:80");
    assert.ok(open && listening.length > 0);
    assert.ok(ways.length >= 6, JSON.stringify(ways));
    for (const { from, at, reached, why } of ways)
      assert.equal(await really(from, at), reached, `${from} at ${at}: ${why}`);
    const deciding = ways.filter(({ rule }) => rule !== "");
    // Every rule that is named is there, and has seen the packets that were just sent.
    const rules = (await hosts.here("nft", "list", "table", "inet", "cais")).stdout;
    for (const { rule } of deciding) assert.ok(rules.includes(`"${rule}"`), `${rule} in ${rules}`);
    for (const { rule, packets, from } of (await reach("web:80")).ways.filter(sent))
      assert.ok((packets ?? 0) > 0, `${rule} for ${from}: ${packets}`);
  });
}

test("whether anything listens, and where", skip, async () => {
  await ok("run", "-d", "--name", "idle", "--network", "shop", "-p", "8080:80", "busybox", "sleep", "1000");
  assert.match(await ok("reach", "idle:80"), /^idle 80\/tcp: nothing listens there\n/);
  assert.match(await ok("reach", "idle:80"), /no listener/);
  const listen =
    "import socket,time;s=socket.create_server(('127.0.0.1',80));print('ready',flush=True);time.sleep(99)";
  await hosts.startIn("idle", "python3", "-c", listen);
  assert.match(
    await ok("reach", "idle:80"),
    /^idle 80\/tcp: listens only on 127\.0\.0\.1, which nobody else reaches\n/,
  );
  const udp =
    "import socket,time;s=socket.socket(2,2);s.bind(('',90));print('ready',flush=True);time.sleep(99)";
  await hosts.startIn("idle", "python3", "-c", udp);
  assert.deepEqual((await reach("idle:90/udp")).listening, ["0.0.0.0"]);
});

test("the table for people, and what cannot be followed", skip, async () => {
  await ok("run", "-d", "--name", "web", "--network", "shop", "-p", "8080:80", "busybox", ...WEB);
  const table = await ok("reach", "web:80");
  assert.match(table, /^FROM\s+AT\s+REACHED\s+WHY$/m);
  assert.match(
    table,
    /^other hosts\s+0\.0\.0\.0:8080\s+(yes|no listener)\s+the kernel translates it to 172\.18\.0\.\d:80: rule "container web: port 8080 to 80\/tcp" \(\d+ packets?\)$/m,
  );
  assert.match(table, /^other hosts\s+\[::\]:8080\s+.*the engine carries it/m);
  await ok("run", "-d", "--name", "shared", "--network", "container:web", "busybox", "sleep", "1000");
  assert.match(await ok("reach", "shared:80"), /^shared 80\/tcp: listens on/);
  await ok("run", "-d", "--name", "plain", "--network", "host", "busybox", "sleep", "1000");
  assert.match(await ok("reach", "plain:80"), /its network is the host's own/);
  await ok("run", "-d", "--name", "alone", "--network", "none", "busybox", "sleep", "1000");
  assert.match(await ok("reach", "alone:80"), /It is on no network/);
  for (const [target, sentence] of [
    ["web", /invalid target 'web': write CONTAINER:PORT/],
    ["web:0", /invalid port specification: "0"/],
    ["web:70000", /invalid port specification: "70000"/],
    ["web:80/foo", /invalid proto: foo/],
    ["nobody:80", /No such container: nobody/],
  ] as const) {
    const ended = await hosts.engine.cais(["reach", target]);
    assert.notEqual(ended.code, 0);
    assert.match(ended.stderr, sentence);
  }
  await ok("stop", "-t", "0", "web");
  assert.match((await hosts.engine.cais(["reach", "web:80"])).stderr, /container web is not running/);
});

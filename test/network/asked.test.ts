import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { needs, program, root } from "../support/skip.ts";
import { type Neighbourhood, neighbourhood } from "./scene.ts";

/** 127.0.0.11, where programs in Docker's containers ask for names, whether resolv.conf says so or they themselves. */

const skip = needs(root(), program("dig", "bind9-dnsutils"), program("nft", "nftables"), program("python3"));
let hosts: Neighbourhood;
const ok = (...words: readonly string[]): Promise<string> => hosts.engine.ok(words);
const sleeper = (name: string, ...options: readonly string[]): Promise<string> =>
  ok("run", "-d", "--name", name, ...options, "busybox", "sleep", "1000");
/** What a container hears at an address: records, or how it went. */
async function dig(container: string, at: string, ...words: readonly string[]): Promise<string> {
  const { stdout } = await hosts.inside(
    container,
    "dig",
    "+time=5",
    "+tries=1",
    `@${at}`,
    "+short",
    ...words,
  );
  return stdout.trim().split("\n").sort().join(" ");
}
const EMBEDDED = "127.0.0.11";

before(async () => {
  if (skip.skip) return;
  hosts = await neighbourhood();
  await ok("network", "create", "shop");
  await ok("network", "create", "--internal", "closed");
  await ok("network", "create", "--opt", "com.docker.network.bridge.enable_icc=false", "apart");
});
after(() => hosts?.[Symbol.asyncDispose]());
afterEach(() => hosts?.clear());

test("it answers by UDP and TCP, and the gateway does as well", skip, async () => {
  await sleeper("web", "--network", "shop");
  await sleeper("db", "--network", "shop");
  for (const at of [EMBEDDED, "172.18.0.1"])
    for (const how of ["+notcp", "+tcp"]) {
      assert.equal(await dig("db", at, how, "web"), "172.18.0.2", `${at} ${how}`);
      assert.equal(await dig("db", at, how, "-x", "172.18.0.2"), "web.shop.", `${at} ${how}`);
    }
  // One socket that has not been connected hears who answers, as musl looks at it.
  const source = `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5)
q = b"\\1\\2\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\3web\\0\\0\\1\\0\\1"
for at in ("${EMBEDDED}", "172.18.0.1"): s.sendto(q, (at, 53)); print(s.recvfrom(999)[1])`;
  const { stdout, stderr } = await hosts.inside("db", "python3", "-c", source);
  assert.equal(stdout, `('${EMBEDDED}', 53)\n('172.18.0.1', 53)\n`, stderr);
});

test("the first thing that a container does can be a question", skip, async () => {
  await sleeper("web", "--network", "shop");
  for (let round = 0; round < 5; round++) {
    const found = await ok(
      "run",
      "--rm",
      "--network",
      "shop",
      "busybox",
      "nslookup",
      "-type=a",
      "web",
      EMBEDDED,
    );
    assert.match(found, /Address: 172\.18\.0\.2/);
  }
});

test("port 53 stays the container's own, at every address", skip, async () => {
  await sleeper("dns", "--network", "shop");
  const source = `import socket
for at in ("0.0.0.0", "${EMBEDDED}"):
  u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind((at, 53)); u.close()
  t = socket.socket(); t.bind((at, 53)); t.listen(); t.close()
print("fine")`;
  const { stdout, stderr } = await hosts.inside("dns", "python3", "-c", source);
  assert.equal(stdout, "fine\n", stderr);
});

test("on internal networks, and where containers are apart", skip, async () => {
  for (const network of ["closed", "apart"]) {
    await sleeper(network, "--network", network);
    assert.match(await dig(network, EMBEDDED, network), /^172\.\d+\.0\.2$/, network);
  }
});

test("whoever shares a container's network asks as that one", skip, async () => {
  await sleeper("web", "--network", "shop");
  await sleeper("pod", "--network", "shop");
  const words = ["run", "--rm", "--network", "container:pod", "busybox"];
  assert.match(await ok(...words, "nslookup", "-type=a", "web"), /Address: 172\.18\.0\.2/);
});

test("it comes, moves and goes with the networks of a container that runs", skip, async () => {
  const tables = async (): Promise<string> =>
    (await hosts.inside("mover", "nft", "list", "ruleset")).stdout.trim();
  await sleeper("web", "--network", "shop");
  await sleeper("mover");
  assert.equal(await tables(), "");
  assert.doesNotMatch(await ok("exec", "mover", "cat", "/etc/resolv.conf"), /127\.0\.0\.11/);
  await ok("network", "connect", "closed", "mover");
  await ok("network", "connect", "shop", "mover");
  assert.equal(await dig("mover", EMBEDDED, "web"), "172.18.0.2");
  await ok("network", "disconnect", "closed", "mover");
  assert.match(await ok("exec", "mover", "cat", "/etc/resolv.conf"), /^nameserver 127\.0\.0\.11$/m);
  assert.equal(await dig("mover", EMBEDDED, "web"), "172.18.0.2");
  await hosts.engine.kill();
  await hosts.engine.start();
  assert.equal(await dig("mover", EMBEDDED, "web"), "172.18.0.2");
  await ok("network", "disconnect", "shop", "mover");
  assert.equal(await tables(), "");
  assert.doesNotMatch(await ok("exec", "mover", "cat", "/etc/resolv.conf"), /127\.0\.0\.11/);
});

test("whatever has the host's ports, containers have their names", skip, async () => {
  const ports = [53, 11053].flatMap((port) => [`${port}:${port}`, `${port}:${port}/udp`]);
  await sleeper("taker", ...ports.flatMap((port) => ["-p", port]));
  await sleeper("web", "--network", "shop");
  await sleeper("db", "--network", "shop");
  for (const how of ["+notcp", "+tcp"])
    assert.equal(await dig("db", EMBEDDED, how, "web"), "172.18.0.2", how);
  await ok("rm", "-f", "taker");
  // A name server of the host's that is at every address.
  const source = `import socket
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(("0.0.0.0", 53))
t = socket.socket(); t.bind(("0.0.0.0", 53)); t.listen(); print("ready", flush=True)
while True: u.recv(9)`;
  await hosts.engine.kill();
  await hosts.start("here", "python3", "-c", source);
  await hosts.engine.start();
  await sleeper("far", "--network", "shop");
  for (const asker of ["db", "far"]) assert.equal(await dig(asker, EMBEDDED, "web"), "172.18.0.2", asker);
});

test("explain and script say how", skip, async () => {
  const words = ["run", "--network", "shop", "busybox", "true"];
  const told = await ok("explain", ...words);
  assert.match(told, /nft add rule ip cais ask ip daddr 127\.0\.0\.11 udp dport 53 /);
  assert.match(await ok("script", ...words), /add table ip cais/);
});

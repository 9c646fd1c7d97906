import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { needs, program, root } from "../support/skip.ts";
import { type Neighbourhood, neighbourhood, THERE } from "./scene.ts";

const skip = needs(root(), program("ip", "iproute2"), program("python3"));
let hosts: Neighbourhood;
const ok = (...words: readonly string[]): Promise<string> => hosts.engine.ok(words);
/** Its server outside knows one name, and says of all others that they are not. */
const sleeper = (name: string, ...options: readonly string[]): Promise<string> =>
  ok("run", "-d", "--name", name, "--dns", THERE.ipv4, ...options, "busybox", "sleep", "1000");

/** Knows addresses of example.org, and nothing else; written by hand, so that it shares nothing with ours. */
const SERVER = `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("${THERE.ipv4}", 53)); print("ready", flush=True)
while True:
  q, c = s.recvfrom(4096)
  end = q.index(b"\\0", 12) + 5
  known = q[12:].startswith(b"\\7example\\3org")
  a = b"\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\x3c\\0\\4\\x09\\x09\\x09\\x09" if known and q[end-4:end-2] == b"\\0\\1" else b""
  s.sendto(q[:2] + (b"\\x81\\x80" if known else b"\\x81\\x83") + b"\\0\\1" + (b"\\0\\1" if a else b"\\0\\0") + b"\\0\\0\\0\\0" + q[12:end] + a, c)
`;

before(async () => {
  if (skip.skip) return;
  hosts = await neighbourhood();
  await hosts.start("there", "python3", "-c", SERVER);
  await hosts.ask("POST", "/networks/create", { Name: "shop" });
  const IPAM = { Config: [{ Subnet: "10.50.0.0/24" }, { Subnet: "fd50::/64" }] };
  await hosts.ask("POST", "/networks/create", { Name: "six", EnableIPv6: true, IPAM });
});
after(() => hosts?.[Symbol.asyncDispose]());
afterEach(() => hosts?.clear());

/** What `nslookup` in a container finds: addresses, or the words of the refusal. */
async function look(container: string, name: string, ...options: readonly string[]): Promise<string> {
  const { stdout, stderr } = await hosts.engine.cais(["exec", container, "nslookup", ...options, name]);
  const found = stdout.split("\n\n").slice(1).join("\n");
  return (
    [...found.matchAll(/^(?:Address: |.*name = )(.*)$/gm)].map((one) => one[1]).join(" ") || stdout + stderr
  );
}

const BOTH = `import socket, threading
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(("", 7001))
def answer():
  while True: u.sendto(b"hello by UDP", u.recvfrom(99)[1])
threading.Thread(target=answer, daemon=True).start()
t = socket.create_server(("", 7000)); print("ready", flush=True)
while True:
  c, _ = t.accept(); c.sendall(b"hello by TCP"); c.close()`;
const ASK = `import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5)
s.sendto(b"x", (sys.argv[1], 7001)); print(s.recv(99).decode())`;

test("two containers find each other by name, over TCP and UDP", skip, async () => {
  await sleeper("web", "--network", "shop", "--network-alias", "al", "--hostname", "webhost");
  await sleeper("db", "--network", "shop", "--network-alias", "al");
  assert.equal(await look("db", "web"), "172.18.0.2");
  assert.equal(await look("db", "WEBHOST"), "172.18.0.2");
  assert.equal(await look("db", "web.shop"), "172.18.0.2");
  assert.equal((await look("db", "al")).split(" ").sort().join(" "), "172.18.0.2 172.18.0.3");
  assert.equal(await look("db", "172.18.0.2"), "web.shop");
  assert.equal(await look("db", "host.docker.internal"), "172.18.0.1");
  assert.equal(await look("db", "host.cais.internal"), "172.18.0.1");
  await hosts.startIn("web", "python3", "-c", BOTH);
  // The container's own files, with the machine's programs: as a program in the container resolves names.
  const words = ["exec", "db", "cat", "/etc/resolv.conf"];
  assert.match(await ok(...words), /^nameserver 127\.0\.0\.11\noptions ndots:0$/);
  assert.equal(await ok("exec", "db", "nc", "-w", "5", "web", "7000"), "hello by TCP");
  const { stdout } = await hosts.inside("db", "python3", "-c", ASK, await look("db", "web"));
  assert.equal(stdout, "hello by UDP\n");
  // Other networks do not know them.
  await sleeper("far", "--network", "six");
  assert.match(await look("far", "web"), /NXDOMAIN|SERVFAIL|can't find|timed out/);
});

test("IPv6 addresses, links, and names that change", skip, async () => {
  await sleeper("web", "--network", "six");
  await sleeper("app", "--network", "six", "--link", "web:store");
  assert.equal(await look("app", "web"), "10.50.0.2 fd50::2");
  assert.equal(await look("app", "store"), "10.50.0.2 fd50::2");
  assert.doesNotMatch(await look("web", "store"), /10\.50\.0\.2/);
  assert.equal(await look("app", "fd50::2"), "web.six");
  await ok("rename", "web", "net");
  assert.equal(await look("app", "net"), "10.50.0.2 fd50::2");
  assert.doesNotMatch(await look("app", "web"), /10\.50\.0\.2/);
  await ok("rm", "-f", "net");
  assert.doesNotMatch(await look("app", "net"), /10\.50\.0\.2/);
});

test("other names are asked of --dns, or of the host's servers", skip, async () => {
  await sleeper(
    "asker",
    "--network",
    "shop",
    "--dns",
    "10.99.0.2",
    "--dns-search",
    "lan",
    "--dns-option",
    "timeout:2",
  );
  assert.equal(
    await ok("exec", "asker", "cat", "/etc/resolv.conf"),
    "nameserver 127.0.0.11\nsearch lan\noptions timeout:2 ndots:0",
  );
  assert.match(await look("asker", "example.org", "-type=a"), /9\.9\.9\.9/);
  await ok("rm", "-f", "asker");
});

test(
  "hosts and resolv.conf follow a container from network to network, as the same files",
  skip,
  async () => {
    await sleeper("mover", "--hostname", "mv", "--add-host", "gw:host-gateway");
    const folder = join(hosts.engine.run, "names");
    const file = (await ok("inspect", "-f", "{{.HostsPath}}", "mover")).trim();
    assert.ok(file.startsWith(folder));
    const { ino } = statSync(file);
    const own = async (): Promise<string[]> =>
      (await ok("exec", "mover", "cat", "/etc/hosts")).split("\n").slice(6);
    assert.deepEqual(await own(), [
      "172.17.0.1\tgw",
      "172.17.0.2\tmv",
      "172.17.0.1\thost.docker.internal host.cais.internal gateway.docker.internal",
    ]);
    await ok("exec", "mover", "sh", "-c", "echo 1.1.1.1 mine >> /etc/hosts");
    await hosts.ask("POST", "/networks/six/connect", { Container: "mover" });
    assert.deepEqual(await own(), [
      "172.17.0.1\tgw",
      "172.17.0.2\tmv",
      "1.1.1.1 mine",
      "10.50.0.2\tmv",
      "fd50::2\tmv",
    ]);
    assert.match(await ok("exec", "mover", "cat", "/etc/resolv.conf"), /^nameserver 127\.0\.0\.11\n/);
    await hosts.ask("POST", "/networks/six/disconnect", { Container: "mover" });
    assert.ok(!(await own()).some((line) => line.includes("fd50")));
    assert.doesNotMatch(await ok("exec", "mover", "cat", "/etc/resolv.conf"), /127\.0\.0\.11/);
    assert.equal(statSync(file).ino, ino);
    await ok("rm", "-f", "mover");
  },
);

test("links of the default bridge: hosts, variables, and who must run", skip, async () => {
  await sleeper("db", "--hostname", "dbhost", "-e", "PW=x", "--expose", "5432");
  const words = ["run", "--rm", "--name", "app", "--link", "db:store", "busybox"];
  const lines = (await ok(...words, "cat", "/etc/hosts")).split("\n");
  assert.ok(lines.includes("172.17.0.2\tstore dbhost db"), lines.join("\n"));
  const env = (await ok(...words, "env")).split("\n");
  for (const one of ["STORE_NAME=/app/store", "STORE_PORT=tcp://172.17.0.2:5432", "STORE_ENV_PW=x"])
    assert.ok(env.includes(one), one);
  await sleeper("app", "--link", "db:store");
  assert.match(await ok("exec", "app", "env"), /^STORE_PORT=tcp:\/\/172\.17\.0\.2:5432$/m);
  // While it is away another one gets its address.
  await ok("stop", "-t", "0", "db");
  await sleeper("thief");
  await ok("start", "db");
  const now = await ok("inspect", "-f", "{{.NetworkSettings.IPAddress}}", "db");
  assert.notEqual(now, "172.17.0.2");
  assert.match(await ok("exec", "app", "cat", "/etc/hosts"), new RegExp(`^${now}\tstore dbhost db$`, "m"));
  const hostsOf = async (name: string) => (await ok("exec", name, "cat", "/etc/hosts")).split("\n");
  await ok("rm", "-f", "thief", "app");
  await sleeper("app", "--link", "db:store", "--link", "db:other");
  const linked = await hostsOf("app");
  await ok("rm", "--link", "app/store");
  assert.deepEqual(
    await hostsOf("app"),
    linked.filter((one) => !one.endsWith("\tstore dbhost db")),
  );
  assert.ok((await hostsOf("app")).some((one) => one.endsWith("\tother dbhost db")));
  await ok("create", "--name", "later", "--link", "db:store", "busybox", "true");
  assert.equal(await ok("inspect", "-f", "{{json .HostConfig.Links}}", "later"), '["/db:/later/store"]');
  await ok("stop", "-t", "0", "db");
  const { stderr } = await hosts.engine.cais(["start", "later"]);
  assert.match(stderr, /Cannot link to a non running container: \/db AS \/later\/store/);
  // A link to one on another's network is one to that other.
  await ok("create", "--name", "host", "--network", "host", "busybox", "true");
  await ok("create", "--name", "guest", "--network", "container:app", "busybox", "true");
  await ok("create", "--name", "third", "--link", "guest:g", "busybox", "true");
  assert.equal(await ok("inspect", "-f", "{{json .HostConfig.Links}}", "third"), '["/app:/third/g"]');
  const host = await hosts.engine.cais(["create", "--link", "host:h", "busybox", "true"]);
  assert.match(host.stderr, /host type networking can't be used with links/);
  const none = await hosts.engine.cais(["create", "--link", "nobody", "busybox", "true"]);
  assert.match(none.stderr, /could not get container for nobody: No such container: nobody/);
});

test("after a kill -9 of the engine names are answered again", skip, async () => {
  await sleeper("web", "--network", "shop");
  await sleeper("db", "--network", "shop");
  await hosts.engine.kill();
  await hosts.engine.start();
  assert.match(await look("db", "web"), /^172\.18\.0\.\d+$/);
});

test("whoever is no container gets no answer", skip, async () => {
  await sleeper("web", "--network", "shop");
  const dig = ["dig", "+time=2", "+tries=1", "@172.18.0.1", "web"];
  if (spawnSync("dig", ["-v"]).status === 0) {
    const { stdout } = await hosts.here(...dig);
    assert.match(stdout, /status: REFUSED/);
  }
});

import assert from "node:assert/strict";
import { once } from "node:events";
import { after, afterEach, before, test } from "node:test";
import { needs, program, root } from "../support/skip.ts";
import { HERE, LISTENS, type Neighbourhood, neighbourhood, THERE, webServer } from "./scene.ts";

const skip = needs(root(), program("curl"), program("ip", "iproute2"), program("python3"));
let hosts: Neighbourhood;
const ok = (...words: readonly string[]): Promise<string> => hosts.engine.ok(words);
const refused = async (...words: readonly string[]): Promise<string> => {
  const ended = await hosts.engine.cais(words);
  assert.notEqual(ended.code, 0, words.join(" "));
  return ended.stderr.trim();
};

/** A web server that says who it is, and one that sends back what it gets by UDP. */
const WEB = webServer("$(hostname)");
const ECHO = `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("", 90)); print("ready", flush=True)
while True:
  b, c = s.recvfrom(999); s.sendto(b, c)`;
/** Says two words to it and prints the answers. */
const SAY = `import socket, sys
s = socket.socket(socket.getaddrinfo(sys.argv[1], 1)[0][0], socket.SOCK_DGRAM)
s.settimeout(5); s.connect((sys.argv[1], 9090))
for w in ("one", "two"):
  s.send(w.encode()); print(s.recv(99).decode())`;
/** It listens when this resolves. */
const serve = async (name: string, ...options: readonly string[]): Promise<void> => {
  await ok("run", "-d", "--name", name, "--hostname", name, ...options, "busybox", ...WEB);
  await ok("exec", name, "sh", "-c", LISTENS);
};

const PEOPLE = ["here", "there"] as const;
/** Addresses that are of the wire only. */
const ON_THE_LINK = { here: "fe80::a:1", there: "fe80::a:2" } as const;
const fetched = async (where: (typeof PEOPLE)[number], address: string, port: number): Promise<string> => {
  const at = address.includes(":") ? `[${address}]` : address;
  const { stdout, stderr } = await hosts[where]("curl", "-sS", "-m", "5", `http://${at}:${port}/`);
  return (stdout || stderr).trim();
};

before(async () => {
  if (skip.skip) return;
  hosts = await neighbourhood();
  // The kernel's own are not there before nobody else has claimed them.
  for (const where of PEOPLE)
    await hosts[where]("ip", "addr", "add", `${ON_THE_LINK[where]}/64`, "dev", "wire", "nodad");
  await hosts.ask("POST", "/networks/create", { Name: "shop" });
  await hosts.ask("POST", "/networks/create", { Name: "both", EnableIPv6: true });
});
after(() => hosts?.[Symbol.asyncDispose]());
afterEach(() => hosts?.clear());

for (const network of ["bridge", "shop", "both"]) {
  test(`a port of a container on ${network} is reached from everywhere`, skip, async () => {
    await serve("web", "--network", network, "-p", "8080:80");
    assert.equal(await ok("port", "web"), "80/tcp -> 0.0.0.0:8080\n80/tcp -> [::]:8080");
    assert.match(
      await ok("ps", "--format", "{{.Ports}}"),
      /^0\.0\.0\.0:8080->80\/tcp, \[::\]:8080->80\/tcp$/,
    );
    for (const address of ["127.0.0.1", "::1", HERE.ipv4, HERE.ipv6])
      assert.equal(await fetched("here", address, 8080), "web", address);
    for (const address of [HERE.ipv4, HERE.ipv6])
      assert.equal(await fetched("there", address, 8080), "web", address);
    for (const where of PEOPLE)
      assert.equal(await fetched(where, `${ON_THE_LINK.here}%25wire`, 8080), "web", `${where} on the link`);
    // From a container: of the same network, and of another one, which has no way but through the host.
    for (const other of [network, network === "shop" ? "both" : "shop"]) {
      const words = ["run", "--rm", "--network", other, "busybox", "wget", "-qO-"];
      assert.equal(await ok(...words, `http://${HERE.ipv4}:8080/`), "web", `from ${other}`);
    }
    await ok("rm", "-f", "web");
    assert.match(await fetched("here", "127.0.0.1", 8080), /Failed to connect|refused/);
  });
}

test("UDP from all four directions, and each client gets his own answers", skip, async () => {
  await ok("run", "-d", "--name", "echo", "-p", "9090:90/udp", "busybox", "sleep", "1000");
  await hosts.startIn("echo", "python3", "-c", ECHO);
  for (const [where, address] of [
    ["here", "127.0.0.1"],
    ["here", "::1"],
    ["here", HERE.ipv4],
    ["there", HERE.ipv4],
    ["there", HERE.ipv6],
  ] as const) {
    const { stdout, stderr } = await hosts[where]("python3", "-c", SAY, address);
    assert.equal(stdout, "one\ntwo\n", `${where} at ${address}: ${stderr}`);
  }
  await ok("run", "-d", "--name", "other", "--network", "shop", "busybox", "sleep", "1000");
  assert.equal((await hosts.inside("other", "python3", "-c", SAY, HERE.ipv4)).stdout, "one\ntwo\n");
});

test("an address, a range, any free port, and -P", skip, async () => {
  await serve(
    "many",
    ...["-p", `${HERE.ipv4}:8081:80`, "-p", "127.0.0.1::80", "-p", "9000-9005:80"],
    ...["--expose", "81-82", "--expose", "83/udp", "-P"],
  );
  const ports = (await hosts.ask("GET", "/containers/many/json")) as {
    readonly NetworkSettings: { readonly Ports: Record<string, { HostIp: string; HostPort: string }[]> };
    readonly HostConfig: { readonly PortBindings: object };
  };
  const { Ports } = ports.NetworkSettings;
  assert.deepEqual(Object.keys(Ports), ["80/tcp", "81/tcp", "82/tcp", "83/udp"]);
  assert.deepEqual(
    Ports["80/tcp"]?.map(({ HostIp }) => HostIp),
    [HERE.ipv4, "127.0.0.1", "0.0.0.0", "::"],
  );
  assert.equal(Ports["80/tcp"]?.[2]?.HostPort, "9000");
  const free = Number(Ports["80/tcp"]?.[1]?.HostPort);
  assert.ok(free >= 32768 && free <= 60999, `${free}`);
  assert.deepEqual(ports.HostConfig.PortBindings, {
    "80/tcp": [
      { HostIp: HERE.ipv4, HostPort: "8081" },
      { HostIp: "127.0.0.1", HostPort: "" },
      { HostIp: "", HostPort: "9000-9005" },
    ],
  });
  assert.equal(await fetched("here", "127.0.0.1", free), "many");
  assert.equal(await fetched("there", HERE.ipv4, 8081), "many");
  assert.match(await fetched("here", "127.0.0.1", 8081), /Failed to connect|refused/);
  assert.match(await ok("port", "many", "81"), /^0\.0\.0\.0:\d+\n\[::\]:\d+$/);
  assert.equal(await refused("port", "many", "99"), "Error: No public port '99' published for many");
});

test("a taken port is refused before anything starts, whoever has it", skip, async () => {
  await serve("first", "-p", "8080:80");
  const prefix =
    /failed to set up container networking: driver failed programming external connectivity on endpoint second \([0-9a-f]{64}\): /;
  const taken = await refused("run", "-d", "--name", "second", "-p", "8080:80", "busybox", ...WEB);
  assert.match(taken, prefix);
  assert.match(taken, /: Bind for 0\.0\.0\.0:8080 failed: port is already allocated$/m);
  assert.equal(await ok("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "second"), "created 128");
  const bind =
    "import socket,time;s=socket.create_server(('',8090));print('ready',flush=True);time.sleep(99)";
  const holder = await hosts.start("here", "python3", "-c", bind);
  await ok("rm", "second");
  const foreign = await refused(
    "run",
    "-d",
    "--name",
    "second",
    "--hostname",
    "second",
    "-p",
    "8090:80",
    "busybox",
    ...WEB,
  );
  assert.match(foreign, prefix);
  assert.match(
    foreign,
    /failed to bind host port for 0\.0\.0\.0:8090:172\.17\.0\.\d+:80\/tcp: address already in use/,
  );
  holder.kill("SIGKILL");
  await once(holder, "exit");
  await ok("start", "second");
  await ok("exec", "second", "sh", "-c", LISTENS);
  assert.equal(await fetched("here", "127.0.0.1", 8090), "second");
  const absent = await refused("run", "--name", "third", "-p", "10.99.0.77:1:80", "busybox", ...WEB);
  assert.match(absent, /cannot assign requested address/);
});

test("what cannot be published is refused when it is asked for", skip, async () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [["-p", "65536:80"], /Invalid hostPort: 65536/],
    [["-p", "80:65536"], /Invalid containerPort: 65536/],
    [["-p", "0:80"], /Invalid hostPort: 0/],
    [["-p", "80:0"], /Invalid containerPort: 0/],
    [["-p", "80:80/foo"], /Invalid proto: foo/],
    [["-p", "1.2.3:80:80"], /Invalid ip address: 1\.2\.3/],
    [["--network", "container:x", "-p", "80:80"], /No such container|conflicting options/],
  ];
  for (const [options, sentence] of cases)
    assert.match(await refused("create", ...options, "busybox", "true"), sentence, options.join(" "));
  await assert.rejects(
    hosts.ask("POST", "/containers/create", {
      Image: "busybox",
      Cmd: ["true"],
      HostConfig: { PortBindings: { "0/tcp": [{ HostPort: "80" }] } },
    }),
    /invalid port specification: \\"0\\"/,
  );
  assert.equal(await ok("ps", "-aq"), "");
});

test("without a way out nothing is published", skip, async () => {
  const { stderr } = await hosts.engine.cais([
    "create",
    "--network",
    "host",
    "-p",
    "80:80",
    "busybox",
    "true",
  ]);
  assert.match(stderr, /WARNING: Published ports are discarded when using host network mode/);
  await hosts.ask("POST", "/networks/create", { Name: "inside", Internal: true });
  for (const network of ["none", "host", "inside"]) {
    await serve("shut", "--network", network, "-p", "8080:80");
    assert.equal(await ok("port", "shut"), "", network);
    assert.equal(await ok("inspect", "-f", "{{json .NetworkSettings.Ports}}", "shut"), "{}", network);
    await ok("rm", "-f", "shut");
  }
  await hosts.ask("DELETE", "/networks/inside");
});

test("ports stay while the engine is gone, and are the same afterwards", skip, async () => {
  await serve("web", "-p", "8080:80", "-p", "127.0.0.1::80", "-p", "53:53/udp");
  const before = await ok("port", "web");
  await hosts.engine.kill();
  await hosts.engine.start();
  assert.equal(await ok("port", "web"), before);
  for (const address of ["127.0.0.1", "::1", HERE.ipv4])
    assert.equal(await fetched("here", address, 8080), "web", address);
  assert.match(
    await refused("run", "--rm", "-p", "8080:80", "busybox", "true"),
    /Bind for 0\.0\.0\.0:8080 failed: port is already allocated/,
  );
  // Stopped: the ports are anybody's again.
  await ok("stop", "-t", "0", "web");
  assert.equal(await ok("port", "web"), "");
  await serve("next", "-p", "8080:80");
  assert.equal(await fetched("there", HERE.ipv4, 8080), "next");
});

test("ports follow a container to another network", skip, async () => {
  await serve("mover", "--network", "shop", "-p", "8080:80");
  await hosts.ask("POST", "/networks/both/connect", { Container: "mover" });
  await hosts.ask("POST", "/networks/shop/disconnect", { Container: "mover" });
  assert.equal(await ok("port", "mover"), "80/tcp -> 0.0.0.0:8080\n80/tcp -> [::]:8080");
  for (const address of ["127.0.0.1", "::1"])
    assert.equal(await fetched("here", address, 8080), "mover", address);
  assert.equal(await fetched("there", HERE.ipv6, 8080), "mover");
});

test("a published port 53 leaves containers their names", skip, async () => {
  await ok("run", "-d", "--name", "dns", "-p", "53:53/udp", "-p", "53:53", "busybox", "sleep", "1000");
  await hosts.startIn("dns", "python3", "-c", ECHO.replace("90", "53"));
  await ok("run", "-d", "--name", "peer", "--network", "shop", "busybox", "sleep", "1000");
  const look = (...words: readonly string[]) => ok("run", "--rm", "--network", "shop", "busybox", ...words);
  assert.match(await look("nslookup", "-type=a", "peer"), /Address: 172\.18\.0\.\d+/);
  const say = SAY.replace("9090", "53");
  assert.equal((await hosts.there("python3", "-c", say, HERE.ipv4)).stdout, "one\ntwo\n");
  await ok("restart", "-t", "0", "peer");
  assert.match(await look("nslookup", "-type=a", "peer"), /Address: 172\.18\.0\.\d+/);
});

test("a container sees the client's own address wherever the kernel can do that", skip, async () => {
  const who =
    "import socket;s=socket.create_server(('',80));print('ready',flush=True)\nwhile 1:\n c,a=s.accept();c.recv(999)" +
    ";c.sendall(b'HTTP/1.0 200 OK\\r\\n\\r\\n'+a[0].encode());c.close()";
  await ok("run", "-d", "--name", "who", "--network", "shop", "-p", "8080:80", "busybox", "sleep", "1000");
  await ok("run", "-d", "--name", "far", "--network", "both", "busybox", "sleep", "1000");
  await hosts.startIn("who", "python3", "-c", who);
  const gateway = "172.18.0.1";
  assert.equal(await fetched("there", HERE.ipv4, 8080), THERE.ipv4);
  assert.equal(await fetched("here", HERE.ipv4, 8080), HERE.ipv4);
  // 127.0.0.1 is another one in there, and no IPv6 address is anybody in a network without.
  assert.equal(await fetched("here", "127.0.0.1", 8080), gateway);
  assert.equal(await fetched("there", HERE.ipv6, 8080), gateway);
  const address = await ok("inspect", "-f", "{{.NetworkSettings.Networks.both.IPAddress}}", "far");
  assert.equal(await ok("exec", "far", "wget", "-qO-", `http://${HERE.ipv4}:8080/`), address);
});

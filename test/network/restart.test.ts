import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startEngine, type TestEngine } from "../support/engine.ts";
import { busyboxMissing, busyboxTar } from "../support/fixtures.ts";
import { needs, program, root } from "../support/skip.ts";

const can = needs(root(), busyboxMissing(), program("ip", "iproute2"), program("nft", "nftables"));

const sleeper = (engine: TestEngine, ...options: readonly string[]) =>
  engine.ok(["run", "-d", ...options, "busybox", "sleep", "1000"]);
const addressOf = (engine: TestEngine, name: string) =>
  engine.ok(["inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", name]);
/** Without counters, and without lifetimes of addresses. */
const links = (engine: TestEngine) => engine.inside("ip", "-br", "link").replace(/ +/g, " ");
/** The kernel lists chains in the order of a hash. */
const rules = (engine: TestEngine) =>
  engine
    .inside("nft", "-s", "list", "ruleset")
    .split(/(?=^\tchain )/m)
    .map((chain) => chain.replace(/[\s}]+$/, ""))
    .sort()
    .join("\n");

test("an engine that is killed leaks no address, and its containers keep theirs", can, async () => {
  await using engine = await startEngine();
  await engine.ok(["import", busyboxTar(), "busybox"]);
  await engine.ok(["network", "create", "web", "--subnet", "10.84.0.0/24"]);
  await sleeper(engine, "--name", "keeps", "--network", "web");
  await sleeper(engine, "--name", "ends", "--network", "web");
  assert.equal(await addressOf(engine, "ends"), "10.84.0.3");
  const pid = Number(await engine.ok(["inspect", "-f", "{{.State.Pid}}", "ends"]));
  const before = [links(engine), rules(engine)];
  await engine.kill();
  process.kill(pid, "SIGKILL");
  await engine.start();
  assert.equal(await addressOf(engine, "keeps"), "10.84.0.2");
  await engine.ok(["exec", "keeps", "ping", "-c1", "-W1", "10.84.0.1"]);
  assert.equal(await addressOf(engine, "ends"), "");
  await sleeper(engine, "--name", "next", "--network", "web");
  assert.equal(await addressOf(engine, "next"), "10.84.0.3", "the address of the one that ended");
  await engine.ok(["exec", "keeps", "ping", "-c1", "-W1", "10.84.0.3"]);
  await engine.ok(["rm", "-f", "next"]);
  assert.equal(rules(engine), before[1]);
  // Killed before its document says that it runs.
  const started = engine.cais([
    "run",
    "-d",
    "--name",
    "quick",
    "--network",
    "web",
    "busybox",
    "sleep",
    "1000",
  ]);
  await started;
  await engine.kill();
  await engine.start();
  assert.equal(await addressOf(engine, "quick"), "10.84.0.3");
  await sleeper(engine, "--name", "fourth", "--network", "web");
  assert.equal(await addressOf(engine, "fourth"), "10.84.0.4");
});

test(
  "an engine that is killed while it connects or disconnects leaks no address and no interface",
  can,
  async () => {
    await using engine = await startEngine();
    await engine.ok(["import", busyboxTar(), "busybox"]);
    await engine.ok(["network", "create", "web", "--subnet", "10.83.0.0/24"]);
    await sleeper(engine, "--name", "mover");
    const id = await engine.ok(["inspect", "-f", "{{.Id}}", "mover"]);
    const pid = await engine.ok(["inspect", "-f", "{{.State.Pid}}", "mover"]);
    const interfaces = () =>
      engine
        .inside("nsenter", "-n", "-t", pid, "ip", "-br", "link")
        .match(/eth\d+/g)
        ?.join(" ");
    // The document of an engine that was killed in between says so; whether the interface was there yet is unknown.
    for (const state of ["laid", "not laid"]) {
      await engine.ok(["network", "connect", "web", "mover"]);
      assert.equal(interfaces(), "eth0 eth1");
      await engine.kill();
      const folder = join(engine.root, "containers", id);
      for (const name of readdirSync(folder).filter((one) => /^container\.\d+\.json$/.test(one))) {
        const saved = JSON.parse(readFileSync(join(folder, name), "utf8"));
        saved.endpoints.web.unsettled = true;
        writeFileSync(join(folder, name), JSON.stringify(saved));
      }
      if (state === "not laid") engine.inside("nsenter", "-n", "-t", pid, "ip", "link", "delete", "eth1");
      await engine.start();
      assert.equal(interfaces(), "eth0", state);
      assert.equal(
        await engine.ok([
          "inspect",
          "-f",
          "{{range $k, $v := .NetworkSettings.Networks}}{{$k}}{{end}}",
          "mover",
        ]),
        "bridge",
      );
      assert.doesNotMatch(await engine.ok(["exec", "mover", "cat", "/etc/hosts"]), /10\.83\./);
      await engine.ok(["run", "--rm", "--network", "web", "--ip", "10.83.0.2", "busybox", "true"]);
    }
    // And wherever it is killed.
    for (let wait = 0; wait < 5; wait++) {
      const words = ["network", wait % 2 === 0 ? "connect" : "disconnect", "web", "mover"];
      const asked = engine.cais(words);
      await new Promise((resolve) => setTimeout(resolve, 15 * wait));
      await engine.kill();
      await asked;
      await engine.start();
      const networks = Object.keys(
        JSON.parse(await engine.ok(["inspect", "-f", "{{json .NetworkSettings.Networks}}", "mover"])),
      );
      assert.equal(interfaces(), networks.length === 2 ? "eth0 eth1" : "eth0");
    }
  },
);

test(
  "a new engine makes what is missing, whole and in one go, and removes what is left over",
  can,
  async () => {
    await using engine = await startEngine();
    await engine.ok(["import", busyboxTar(), "busybox"]);
    await engine.ok(["network", "create", "lost", "--subnet", "10.85.0.0/24"]);
    await engine.ok(["network", "create", "kept", "--subnet", "10.86.0.0/24"]);
    await sleeper(engine, "--name", "runs", "--network", "kept");
    const bridge = (await engine.ok(["network", "inspect", "-f", "br-{{.Id}}", "lost"])).slice(0, 15);
    const busy = (await engine.ok(["network", "inspect", "-f", "br-{{.Id}}", "kept"])).slice(0, 15);
    const before = rules(engine);
    await engine.kill();
    engine.inside("ip", "link", "delete", bridge);
    engine.inside("nft", "flush", "ruleset");
    engine.inside("ip", "link", "delete", busy);
    // The bridge of a network that an engine was killed while removing.
    engine.inside("ip", "link", "add", "br-leftover", "type", "bridge");
    writeFileSync(join(engine.run, "links/br-leftover"), "");
    await engine.start();
    assert.equal(rules(engine), before);
    assert.match(links(engine), new RegExp(`^${bridge} `, "m"));
    assert.doesNotMatch(links(engine), /br-leftover/);
    await engine.ok(["exec", "runs", "ping", "-c1", "-W1", "10.86.0.1"]);
    // Somebody removes a bridge under a running engine: the next start makes it again.
    engine.inside("ip", "link", "delete", bridge);
    await engine.ok(["run", "--rm", "--network", "lost", "busybox", "ping", "-c1", "-W1", "10.85.0.1"]);
    engine.inside("ip", "link", "delete", busy);
    await engine.ok(["run", "--rm", "--network", "kept", "busybox", "ping", "-c1", "-W1", "10.86.0.2"]);
  },
);

test("the host has the links and rules that it had, once networks and engine are gone", can, async () => {
  await using engine = await startEngine();
  await engine.ok(["import", busyboxTar(), "busybox"]);
  const look = () =>
    engine.inside("sh", "-c", "ip -d link; ip addr; ip route; ip -6 route; nft list ruleset");
  const before = look();
  await engine.ok(["network", "create", "some", "--ipv6"]);
  await engine.ok(["run", "--rm", "busybox", "true"]);
  await engine.ok(["run", "--rm", "--network", "some", "busybox", "true"]);
  assert.notEqual(look(), before);
  await engine.ok(["network", "rm", "some"]);
  assert.match(look(), /cais0/, "it stays for the next container");
  await engine.stop();
  assert.equal(look(), before);
  await engine.start();
  assert.equal(look(), before, "made when it is needed, not before");
});

test("networks survive the engine; a damaged document is told, not believed", can, async () => {
  await using engine = await startEngine();
  await engine.ok([
    "network",
    "create",
    "whole",
    "--label",
    "a=b",
    "-o",
    "com.docker.network.driver.mtu=1400",
  ]);
  await engine.ok(["network", "create", "hurt"]);
  const whole = await engine.ok(["network", "inspect", "whole", "bridge", "host", "none"]);
  const id = await engine.ok(["network", "inspect", "-f", "{{.Id}}", "hurt"]);
  await engine.kill();
  const file = join(engine.root, "networks", id, "network.json");
  writeFileSync(file, readFileSync(file, "utf8").replace("hurt", "hurz"));
  await engine.start();
  assert.equal(await engine.ok(["network", "inspect", "whole", "bridge", "host", "none"]), whole);
  assert.match(engine.inside("ip", "link", "show", "type", "bridge"), /mtu 1400/);
  const lost = await engine.cais(["network", "inspect", "hurt"]);
  assert.match(lost.stderr, /network hurt not found/);
  assert.match(engine.log(), /network\.json: the document is damaged/);
  assert.ok(readdirSync(join(engine.root, "networks")).includes(id), "left for a person to look at");
});

test(
  "a default bridge that nobody noted is taken over when it is empty, and left alone when it is not",
  can,
  async () => {
    await using engine = await startEngine();
    await engine.ok(["import", busyboxTar(), "busybox"]);
    engine.inside("ip", "link", "add", "cais0", "address", "02:42:00:00:00:01", "type", "bridge");
    await engine.ok(["run", "--rm", "busybox", "ping", "-c1", "-W1", "172.17.0.1"]);
    assert.equal(
      await engine.ok([
        "network",
        "inspect",
        "-f",
        '{{index .Options "com.docker.network.bridge.name"}}',
        "bridge",
      ]),
      "cais0",
    );
  },
);

test(
  "a default bridge that is somebody else's stays his: ours has another name, and other addresses",
  can,
  async () => {
    await using engine = await startEngine();
    await engine.ok(["import", busyboxTar(), "busybox"]);
    engine.inside("ip", "link", "add", "cais0", "address", "02:42:00:00:00:01", "type", "bridge");
    engine.inside(
      "sh",
      "-euc",
      "ip addr add 172.17.0.1/16 dev cais0; ip link add p0 type veth peer name p1; ip link set p0 master cais0; ip link set cais0 up",
    );
    const before = engine.inside("ip", "-o", "addr", "show", "cais0");
    assert.match(
      await engine.ok(["run", "--rm", "busybox", "ip", "-o", "addr", "show", "eth0"]),
      /172\.18\.0\.2\/16/,
    );
    assert.match(
      engine.log(),
      /somebody else, has the bridge of the default network: it is called cais-[0-9a-f]{6} here/,
    );
    assert.match(engine.inside("ip", "-o", "link", "show", "type", "bridge"), /: cais-[0-9a-f]{6}:/);
    assert.equal(engine.inside("ip", "-o", "addr", "show", "cais0"), before);
  },
);

test("a document that is behind does not give away what a container has that runs", can, async () => {
  await using engine = await startEngine();
  await engine.ok(["import", busyboxTar(), "busybox"]);
  await engine.ok(["network", "create", "web", "--subnet", "10.82.0.0/24"]);
  await engine.ok(["create", "--name", "behind", "--network", "web", "busybox", "true"]);
  await sleeper(engine, "--name", "runs", "--network", "web");
  const documents: string[] = [];
  for (const name of ["behind", "runs"]) {
    const folder = join(engine.root, "containers", await engine.ok(["inspect", "-f", "{{.Id}}", name]));
    documents.push(folder);
  }
  await engine.kill();
  // Its end was not written down before its address was another one's, and the engine killed.
  const files = documents.map((folder) =>
    join(folder, readdirSync(folder).find((one) => /^container\.\d+\.json$/.test(one)) ?? ""),
  );
  const [behind, runs] = files.map((path) => JSON.parse(readFileSync(path, "utf8")));
  behind.endpoints.web.live = { ...runs.endpoints.web.live, id: "0".repeat(64) };
  writeFileSync(files[0]!, JSON.stringify(behind));
  await engine.start();
  await sleeper(engine, "--name", "next", "--network", "web");
  assert.deepEqual(
    [await addressOf(engine, "runs"), await addressOf(engine, "next")],
    ["10.82.0.2", "10.82.0.3"],
  );
});

// Safe beside other test files.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Ended } from "../support/cais.ts";
import { serversMissing, serversTar } from "../support/fixtures.ts";
import { needs, program, root } from "../support/skip.ts";
import { HERE, type Neighbourhood, neighbourhood, THERE } from "./scene.ts";

/** Programs as people run them, from Debian's packages: nginx before others, curl, ping, dig and iperf3. */

const skip = needs(root(), serversMissing(), program("curl"), program("iperf3"));
let hosts: Neighbourhood;
const ok = (...words: readonly string[]): Promise<string> => hosts.engine.ok(words);

before(async () => {
  if (skip.skip) return;
  hosts = await neighbourhood();
  await ok("import", serversTar(), "servers");
  await ok("network", "create", "shop");
});
after(() => hosts?.[Symbol.asyncDispose]());

const nginx = (name: string, site: string, ...options: readonly string[]): Promise<string> =>
  ok(
    ...[
      "run",
      "-d",
      "--name",
      name,
      "--network",
      "shop",
      "-e",
      `SITE=${site}`,
      ...options,
      "servers",
      "sh",
      "-c",
    ],
    `echo "$SITE" > /etc/nginx/sites-enabled/default; exec nginx -g "daemon off;"`,
  );
const inside = (name: string, ...words: readonly string[]): Promise<string> => ok("exec", name, ...words);
/** Asks until the server is there, which takes it a moment. */
const FETCH = [
  "curl",
  "-sS",
  "--retry",
  "20",
  "--retry-connrefused",
  "--retry-delay",
  "1",
  "-m",
  "20",
] as const;

test("nginx before a service that it looks up at 127.0.0.11, from every direction", skip, async () => {
  await nginx("api", "server { listen 8080; return 200 'api heard $remote_addr'; }");
  const site = `server {
    listen 80; listen [::]:80; resolver 127.0.0.11 valid=1s;
    location / { set $up http://api:8080; proxy_pass $up; }
    location /who { return 200 $remote_addr; }
  }`;
  await nginx("web", site, "-p", "80:80");
  const address = await ok("inspect", "-f", "{{.NetworkSettings.Networks.shop.IPAddress}}", "web");
  const heard = `api heard ${address}`;
  assert.equal(await inside("api", ...FETCH, "http://web/"), heard);
  for (const at of ["127.0.0.1", "[::1]", HERE.ipv4, `[${HERE.ipv6}]`])
    assert.equal((await hosts.here(...FETCH, `http://${at}/`)).stdout, heard, at);
  for (const at of [HERE.ipv4, `[${HERE.ipv6}]`])
    assert.equal((await hosts.there(...FETCH, `http://${at}/`)).stdout, heard, at);
  assert.equal((await hosts.there(...FETCH, `http://${HERE.ipv4}/who`)).stdout, THERE.ipv4);
  // The service comes back at another address.
  await ok("rm", "-f", "api");
  await ok("run", "-d", "--name", "squatter", "--network", "shop", "busybox", "sleep", "1000");
  await nginx("api", "server { listen 8080; return 200 'another api'; }");
  const again = [...FETCH, "--fail", "--retry-all-errors", "http://web/"];
  assert.equal(await inside("web", ...again), "another api");
});

test("ping and dig find containers by name", skip, async () => {
  await ok("run", "-d", "--name", "db", "--network", "shop", "servers", "sleep", "1000");
  assert.match(await inside("db", "ping", "-c", "1", "-W", "5", "db"), / 0% packet loss/);
  assert.match(await inside("db", "ping", "-c", "1", "-W", "5", THERE.ipv4), / 0% packet loss/);
  const answer = await inside("db", "dig", "db");
  assert.match(answer, /SERVER: 127\.0\.0\.11#53\(127\.0\.0\.11\) \(UDP\)/);
  assert.match(answer, /^db\.\s+600\s+IN\s+A\s+172\.18\.0\.\d+$/m);
  assert.match(await inside("db", "dig", "+tcp", "db"), /SERVER: 127\.0\.0\.11#53\(127\.0\.0\.11\) \(TCP\)/);
});

test("iperf3 between containers and to a published port, by TCP and UDP", skip, async () => {
  const server = ["servers", "iperf3", "-s"];
  await ok(
    "run",
    "-d",
    "--name",
    "meter",
    "--network",
    "shop",
    "-p",
    "5201:5201",
    "-p",
    "5201:5201/udp",
    ...server,
  );
  await ok("run", "-d", "--name", "client", "--network", "shop", "servers", "sleep", "1000");
  // Port 5201, as the kernel writes it.
  await inside("meter", "sh", "-c", "until grep -q ':1451 ' /proc/net/tcp*; do sleep 0.1; done");
  const measure = ["iperf3", "--connect-timeout", "5000", "-t", "1", "-J", "-c"] as const;
  // It serves one after the other, and its last client may not have been through with it.
  const received = async (run: () => Promise<Ended>): Promise<number> => {
    for (;;) {
      const { stdout } = await run();
      const { end, error = "" } = JSON.parse(stdout);
      if (/server is busy/.test(error)) continue;
      assert.equal(error, "");
      return end.sum_received?.bytes ?? end.sum?.bytes ?? 0;
    }
  };
  for (const more of [[], ["-u", "-b", "200M"]]) {
    const within = ["exec", "client", ...measure, "meter", ...more];
    assert.ok((await received(() => hosts.engine.cais(within))) > 1e6, `from a container ${more}`);
    for (const [where, at] of [
      ["here", "127.0.0.1"],
      ["there", HERE.ipv4],
      ["there", HERE.ipv6],
    ] as const)
      assert.ok(
        (await received(() => hosts[where](...measure, at, ...more))) > 1e6,
        `${where} ${at} ${more}`,
      );
  }
});

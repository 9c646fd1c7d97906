import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BASE,
  changedHosts,
  type HostsFacts,
  hostsText,
  withNeighbours,
} from "../../src/network/names/hosts.ts";
import { linkEnvironment, parseLink } from "../../src/network/names/links.ts";
import { hostResolvConf, type ResolvFacts, resolvText } from "../../src/network/names/resolvconf.ts";

const hosts = (more: Partial<HostsFacts>): HostsFacts => ({
  hostname: "web",
  domainname: "",
  ipv6: true,
  extraHosts: [],
  host: ["172.17.0.1"],
  links: [],
  addresses: ["172.17.0.2"],
  neighbours: [],
  hostNames: false,
  ...more,
});

/** Each as dockerd 28.5 wrote it for the same options. */
test("the hosts file is Docker's, line by line", () => {
  const own = hosts({ domainname: "ex.org", extraHosts: ["foo:1.2.3.4", "bar:host-gateway", "six:[::5]"] });
  assert.equal(
    hostsText(own),
    `${BASE}1.2.3.4\tfoo\n172.17.0.1\tbar\n::5\tsix\n172.17.0.2\tweb.ex.org web\n`,
  );
  const dotted = hosts({ hostname: "web.ex.org", domainname: "test" });
  assert.equal(hostsText(dotted), `${BASE}172.17.0.2\tweb.ex.org.test web\n`);
  assert.equal(hostsText(hosts({ hostname: "web.ex" })), `${BASE}172.17.0.2\tweb.ex web\n`);
  const only4 = hosts({
    ipv6: false,
    host: ["172.17.0.1", "fd00::1"],
    extraHosts: ["a:1::2", "b:1.2.3.4"],
    hostNames: true,
  });
  assert.equal(
    hostsText(only4),
    "127.0.0.1\tlocalhost\n1.2.3.4\tb\n172.17.0.2\tweb\n172.17.0.1\thost.docker.internal host.cais.internal gateway.docker.internal\n",
  );
  assert.equal(changedHosts(hostsText(only4), only4, only4), hostsText(only4));
  const links = [
    { address: "172.17.0.2", names: ["database", "dbhost", "db"] },
    { address: "172.17.0.2", names: ["db", "dbhost"] },
  ];
  assert.equal(
    hostsText(hosts({ links, hostname: "app", addresses: ["172.17.0.3"] })),
    `${BASE}172.17.0.2\tdatabase dbhost db\n172.17.0.2\tdb dbhost\n172.17.0.3\tapp\n`,
  );
  const several = hosts({ addresses: ["10.50.0.2", "fd50::2", "172.18.0.2"] });
  assert.equal(hostsText(several), `${BASE}10.50.0.2\tweb\nfd50::2\tweb\n172.18.0.2\tweb\n`);
  assert.equal(hostsText(hosts({ addresses: [] })), BASE);
  const full = hosts({ hostname: "web.ex.org", addresses: ["10.50.0.2"] });
  assert.equal(hostsText(full), `${BASE}10.50.0.2\tweb.ex.org web\n`);
  assert.equal(hostsText({ ...full, domainname: "net" }), `${BASE}10.50.0.2\tweb.ex.org.net web\n`);
});

test("the host's names are in it where no resolver has them", () => {
  assert.match(
    hostsText(hosts({ hostNames: true })),
    /\n172\.17\.0\.1\thost\.docker\.internal host\.cais\.internal gateway\.docker\.internal\n$/,
  );
});

test("a live change touches only its own lines", () => {
  const before = hosts({ hostNames: true });
  const edited = `${hostsText(before)}10.1.1.1\tmine`;
  const after = hosts({ addresses: ["172.17.0.2", "10.50.0.2", "fd50::2"], hostNames: false });
  const text = changedHosts(edited, before, after);
  assert.equal(text, `${BASE}172.17.0.2\tweb\n10.1.1.1\tmine\n10.50.0.2\tweb\nfd50::2\tweb\n`);
  assert.equal(changedHosts(text, after, hosts({})), `${BASE}172.17.0.2\tweb\n10.1.1.1\tmine\n`);
});

test("neighbours come and go, whatever they are called, and leave what others wrote", () => {
  const web = {
    address: "10.1.0.2",
    names: ["web", "a b", "x\n10.0.0.1 bank.example", "#"],
    network: "lan # 1",
  };
  const db = { address: "10.1.0.3", names: ["a\tb"], network: "lan" };
  const text = hostsText(hosts({ neighbours: [web, db] }));
  assert.equal(text, `${BASE}172.17.0.2\tweb\n10.1.0.2\tweb # on network lan # 1\n`);
  const next = { ...db, names: ["db", "store"] };
  const changed = withNeighbours(`${text}10.9.9.9 mine`, [next]);
  assert.equal(changed, `${BASE}172.17.0.2\tweb\n10.9.9.9 mine\n10.1.0.3\tdb store # on network lan\n`);
  assert.equal(withNeighbours(changed, []), `${BASE}172.17.0.2\tweb\n10.9.9.9 mine\n`);
});

const resolv = (more: Partial<ResolvFacts>): ResolvFacts => ({
  servers: [],
  search: [],
  options: [],
  resolvers: [],
  shared: false,
  ipv6: false,
  ...more,
});
const HOST = { servers: ["127.0.0.1", "10.0.0.53", "fd00::53"], search: ["corp"], options: ["rotate"] };

test("resolv.conf: the container's own words, or the host's without its loopback", () => {
  assert.equal(resolvText(resolv({}), HOST), "nameserver 10.0.0.53\nsearch corp\noptions rotate\n");
  assert.equal(
    resolvText(resolv({ ipv6: true }), HOST).split("\nsearch")[0],
    "nameserver 10.0.0.53\nnameserver fd00::53",
  );
  assert.match(resolvText(resolv({ shared: true }), HOST), /^nameserver 127\.0\.0\.1\n/);
  assert.equal(
    resolvText(
      resolv({ servers: ["1.1.1.1", "127.0.0.1"], search: ["a.b", "c"], options: ["ndots:2", "rotate"] }),
      HOST,
    ),
    "nameserver 1.1.1.1\nnameserver 127.0.0.1\nsearch a.b c\noptions ndots:2 rotate\n",
  );
  assert.equal(resolvText(resolv({ search: ["."] }), { ...HOST, options: [] }), "nameserver 10.0.0.53\n");
  const nobody = { servers: ["127.0.0.1"], search: [], options: [] };
  assert.equal(resolvText(resolv({}), nobody), "nameserver 8.8.8.8\nnameserver 8.8.4.4\n");
});

test("resolv.conf with a resolver of ours", () => {
  const ours = resolv({ resolvers: ["172.18.0.1", "10.50.0.1"], servers: ["1.1.1.1", "127.0.0.1"] });
  assert.equal(
    resolvText(ours, { servers: [], search: [], options: [] }),
    "nameserver 172.18.0.1\nnameserver 127.0.0.1\noptions ndots:0\n",
  );
  // Docker's place comes before it, and once.
  const both = resolv({ resolvers: ["127.0.0.11", "172.18.0.1"], servers: ["127.0.0.11"] });
  assert.equal(
    resolvText(both, { servers: [], search: [], options: [] }),
    "nameserver 127.0.0.11\noptions ndots:0\n",
  );
  assert.match(resolvText({ ...ours, options: ["attempts:3"] }, HOST), /\noptions attempts:3 ndots:0\n$/);
  assert.match(resolvText({ ...ours, options: ["ndots:3"] }, HOST), /\noptions ndots:3\n$/);
});

test("behind systemd-resolved's stub are the servers that it asks", () => {
  const files: Record<string, string> = {
    "/etc/resolv.conf": "nameserver 127.0.0.53\n",
    "/run/systemd/resolve/resolv.conf": "nameserver 10.9.9.9\nsearch lan\n",
  };
  assert.deepEqual(
    hostResolvConf((path) => files[path] ?? ""),
    {
      servers: ["10.9.9.9"],
      search: ["lan"],
      options: [],
    },
  );
});

test("the variables of a link are Docker's", () => {
  const env = linkEnvironment({
    parent: "app",
    alias: "db",
    address: "172.17.0.2",
    env: ["PW=x", "PATH=/bin"],
    exposed: { "90/udp": {}, "91/tcp": {}, "92/tcp": {}, "5432/tcp": {}, nonsense: {} },
  });
  assert.deepEqual(env.sort(), [
    "DB_ENV_PW=x",
    "DB_NAME=/app/db",
    "DB_PORT=tcp://172.17.0.2:91",
    "DB_PORT_5432_TCP=tcp://172.17.0.2:5432",
    "DB_PORT_5432_TCP_ADDR=172.17.0.2",
    "DB_PORT_5432_TCP_PORT=5432",
    "DB_PORT_5432_TCP_PROTO=tcp",
    "DB_PORT_90_UDP=udp://172.17.0.2:90",
    "DB_PORT_90_UDP_ADDR=172.17.0.2",
    "DB_PORT_90_UDP_PORT=90",
    "DB_PORT_90_UDP_PROTO=udp",
    "DB_PORT_91_TCP=tcp://172.17.0.2:91",
    "DB_PORT_91_TCP_ADDR=172.17.0.2",
    "DB_PORT_91_TCP_END=tcp://172.17.0.2:92",
    "DB_PORT_91_TCP_PORT=91",
    "DB_PORT_91_TCP_PORT_END=92",
    "DB_PORT_91_TCP_PORT_START=91",
    "DB_PORT_91_TCP_PROTO=tcp",
    "DB_PORT_91_TCP_START=tcp://172.17.0.2:91",
    "DB_PORT_92_TCP=tcp://172.17.0.2:92",
    "DB_PORT_92_TCP_ADDR=172.17.0.2",
    "DB_PORT_92_TCP_PORT=92",
    "DB_PORT_92_TCP_PROTO=tcp",
  ]);
});

test("a link is a container, with or without another name", () => {
  assert.deepEqual(parseLink("db"), { container: "db", alias: "db" });
  assert.deepEqual(parseLink("db:store"), { container: "db", alias: "store" });
  assert.deepEqual(parseLink("/db:/app/store"), { container: "db", alias: "store" });
  for (const text of ["", ":a", "a:b:c", "a:"]) assert.equal(parseLink(text), null, text);
});

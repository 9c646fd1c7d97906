import assert from "node:assert/strict";
import { test } from "node:test";
import { addressOf } from "../../src/network/dns/answer.ts";
import { parseResolvConf } from "../../src/network/dns/servers.ts";
import { directory, GATEWAY, member } from "./members.ts";

test("a name is one's own, an alias, a link, or one with its network", () => {
  const { names, remove } = directory();
  const view = names("127.53.0.3")!;
  assert.deepEqual(view.lookup("web"), { ipv4: ["127.53.0.2"], ipv6: ["fd53::2"] });
  assert.deepEqual(view.lookup("webhost"), view.lookup("web"));
  assert.deepEqual(view.lookup("0123456789ab"), view.lookup("web"));
  assert.deepEqual(view.lookup("web.shop"), view.lookup("web"));
  assert.deepEqual(view.lookup("store"), view.lookup("web"));
  assert.equal(names("127.53.0.2")?.lookup("store"), undefined);
  assert.deepEqual(view.lookup("al")?.ipv4, ["127.53.0.2", "127.53.0.3"]);
  assert.deepEqual(view.lookup("host.docker.internal"), { ipv4: [GATEWAY], ipv6: ["fd53::1"] });
  assert.deepEqual(view.lookup("host.cais.internal"), view.lookup("gateway.docker.internal"));
  assert.equal(view.lookup("other"), undefined);
  assert.equal(view.lookup("web.shop.example"), undefined);
  assert.equal(view.reverse("127.53.0.2"), "web.shop");
  assert.equal(names("127.53.0.77"), undefined);
  remove("web-id", "n1");
  assert.equal(view.lookup("web"), undefined);
  assert.deepEqual(view.lookup("al")?.ipv4, ["127.53.0.3"]);
});

test("names and networks may have dots", () => {
  const made = directory();
  const network = { id: "n3", name: "Lan.one" };
  made.add(member({ names: ["a.b"], network, ipv4: "127.55.0.2" }));
  made.add(member({ names: ["c"], network, ipv4: "127.55.0.3" }));
  const view = made.names("127.55.0.3");
  assert.deepEqual(view?.lookup("a.b.lan.one")?.ipv4, ["127.55.0.2"]);
  assert.equal(view?.lookup("a.b.one"), undefined);
  assert.equal(view?.lookup(".lan.one"), undefined);
});

test("names of networks that the asker is not on are none of his", () => {
  const made = directory();
  const far = member({ names: ["far"], network: { id: "n2", name: "far" }, ipv4: "127.54.0.2" });
  made.add(far);
  assert.equal(made.names("127.53.0.2")?.lookup("far"), undefined);
  assert.equal(made.names("127.53.0.2")?.reverse("127.54.0.2"), undefined);
  // On both: the one with the higher priority answers first.
  made.add({ ...far, containerId: "web-id", names: ["web"], ipv4: "127.54.0.9", priority: 5 });
  made.add({ ...far, containerId: "x-id", names: ["db"], ipv4: "127.54.0.8" });
  assert.deepEqual(made.names("127.53.0.2")?.lookup("db")?.ipv4, ["127.54.0.8"]);
  assert.deepEqual(made.names("127.53.0.3")?.lookup("db")?.ipv4, ["127.53.0.3"]);
});

test("reverse names", () => {
  assert.equal(addressOf("2.0.18.172.in-addr.arpa"), "172.18.0.2");
  assert.equal(addressOf("2.0.18.672.in-addr.arpa"), undefined);
  const digits = "2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.3.5.d.f";
  assert.equal(addressOf(`${digits}.ip6.arpa`), "fd53::2");
  assert.equal(addressOf(`${digits.slice(2)}.ip6.arpa`), undefined);
});

test("resolv.conf(5) is read as the C library reads it", () => {
  const text =
    "# a\nnameserver 1.1.1.1\nnameserver ::1 # x\nnameserver nonsense\nsearch a b\ndomain c\noptions x y\n";
  assert.deepEqual(parseResolvConf(text), {
    servers: ["1.1.1.1", "::1"],
    search: ["c"],
    options: ["x", "y"],
  });
});

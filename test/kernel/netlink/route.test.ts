import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, test } from "node:test";
import type { Request } from "../../../src/kernel/netlink/message.ts";
import { addAddress } from "../../../src/kernel/netlink/route/address.ts";
import {
  addLink,
  deleteLink,
  isolatePort,
  type LinkRef,
  setLink,
} from "../../../src/kernel/netlink/route/link.ts";
import { addRoute } from "../../../src/kernel/netlink/route/route.ts";
import { openNetlink } from "../../../src/network/wires/socket.ts";
import { commandText } from "../../../src/plan/describe.ts";
import { StepError } from "../../../src/plan/error.ts";
import { runPlan } from "../../../src/plan/run.ts";
import type { NetlinkMessage, Plan } from "../../../src/plan/step.ts";
import { ip, run, sh, steady } from "../../network/look.ts";
import { enterOwnNetwork, type OwnNetwork } from "../../support/netns.ts";
import { needs, program, root } from "../../support/skip.ts";

// Each message of rtnetlink is sent by a plan, and what ip(8) then shows is what its own command makes.

const can = needs(root(), program("ip", "iproute2"));
let network: OwnNetwork;
before(async () => {
  if (can.skip === undefined) network = await enterOwnNetwork();
});
after(() => network?.leave());

/** Why a kind of interface cannot be made here, or undefined. */
function kernelHas(kind: string): string | undefined {
  const script = `ip link add a type veth peer name b && ip link add link a name c type ${kind}`;
  const made = spawnSync("unshare", ["-n", "sh", "-c", script]).status === 0;
  return made ? undefined : `this kernel has no ${kind}`;
}

const batch = (messages: readonly NetlinkMessage[]): Plan => ({
  steps: [
    openNetlink("route", "socket", "ask the kernel"),
    { kind: "netlink", socket: "socket", protocol: "route", messages },
  ],
});
const because = (request: Request, extra: Partial<NetlinkMessage> = {}): NetlinkMessage => ({
  kind: "message",
  request,
  why: commandText(request.words),
  ...extra,
});
const send = (...requests: readonly Request[]) => runPlan(batch(requests.map((each) => because(each))));
const indexOf = (name: string): LinkRef => ({
  name,
  index: Number(ip(`link show ${name}`)[0]?.ifindex),
});
const look = () =>
  steady([ip("link show"), ip("address show"), ip("route show table main"), ip("-6 route show table main")]);

/** The namespace as it is before each comparison: nothing but a few interfaces to build on. */
function fresh() {
  for (const { ifname } of ip("link show"))
    if (ifname !== "lo") spawnSync("ip", ["link", "delete", String(ifname)]);
  // The kernel counts indexes up: they are given, so that both sides have the same.
  sh(
    "echo 1 >/proc/sys/net/ipv6/conf/default/addr_gen_mode; ip link set lo up; ip link add index 100 name base type veth peer name far; ip link add index 101 name bridge type bridge; ip link set far up; ip link set base up",
  );
}

/** `make` with messages, and the commands that the messages say they are. */
async function compare(make: () => readonly Request[]) {
  const views: unknown[] = [];
  for (const how of ["message", "command"] as const) {
    // A peer can still be on its way out.
    fresh();
    const requests = make();
    if (how === "message") await send(...requests);
    else for (const { words } of requests) run(String(words[0]), words.slice(1).map(String));
    // Addresses that nobody asked for, and indexes that only count up.
    const text = JSON.stringify(look())
      .replaceAll(/"(address|permaddr|bridge_id|root_id)":"(?!02:42|02:00)[^"]*"/g, '"$1":""')
      .replaceAll(/"(link_index|ifindex)":\d+/g, '"$1":0')
      .replaceAll(/"local":"fe80::[^"]*"/g, '"local":""');
    views.push(JSON.parse(text));
  }
  assert.deepEqual(views[0], views[1]);
}

test("a bridge", can, () =>
  compare(() => [
    addLink({ kind: "bridge", name: "cais0", mac: "02:42:00:00:00:01", mtu: 1400, txqueuelen: 0, up: true }),
  ]),
);

test("a veth pair on a bridge, its other end with address and MTU", can, () =>
  compare(() => [
    addLink({
      kind: "veth",
      name: "veth1a2b3c4",
      master: indexOf("bridge"),
      up: true,
      mtu: 1400,
      peer: { name: "eth0", mac: "02:42:ac:11:00:02", mtu: 1400, txqueuelen: 0 },
    }),
  ]),
);

test("macvlan in each mode", can, async () => {
  for (const mode of ["bridge", "private", "vepa", "passthru"] as const)
    await compare(() => [addLink({ kind: "macvlan", name: "mv", parent: indexOf("base"), mode })]);
});

test("ipvlan in each mode and with each flag", needs(root(), kernelHas("ipvlan")), async () => {
  for (const mode of ["l2", "l3", "l3s"] as const)
    for (const flag of ["bridge", "private", "vepa"] as const)
      await compare(() => [addLink({ kind: "ipvlan", name: "iv", parent: indexOf("base"), mode, flag })]);
});

test("properties of an interface that is there", can, () =>
  compare(() => [
    setLink(indexOf("base"), { master: indexOf("bridge"), mtu: 1300, mac: "02:00:00:00:00:09", up: false }),
    isolatePort("base"),
  ]),
);

test("addresses and routes of both families", can, () =>
  compare(() => {
    const link = indexOf("base");
    return [
      addAddress(link, "172.17.0.2", 16),
      addAddress(link, "10.1.2.3", 32),
      addAddress(link, "fd00::2", 64),
      addRoute({ to: "0.0.0.0", bits: 0, via: "172.17.0.1", link }),
      addRoute({ to: "10.9.0.0", bits: 16, link }),
      addRoute({ to: "::", bits: 0, via: "fd00::1", link }),
      addRoute({ to: "fd01::", bits: 48, link }),
      addRoute({ to: "0.0.0.0", bits: 0, via: "172.17.0.9", link }, "replace"),
    ];
  }),
);

test("an interface is born in another process's namespace", can, async () => {
  fresh();
  const { spawn } = await import("node:child_process");
  const other = spawn("unshare", ["-n", "sleep", "60"], { stdio: "ignore" });
  try {
    while (run("readlink", [`/proc/${other.pid}/ns/net`]) === run("readlink", ["/proc/self/ns/net"]));
    await send(
      addLink({
        kind: "veth",
        name: "veth0000001",
        master: indexOf("bridge"),
        peer: { name: "eth0", netns: other.pid ?? 0 },
      }),
    );
    assert.equal(ip("link show eth0", other.pid)[0]?.ifname, "eth0");
    assert.equal(ip("link show veth0000001")[0]?.master, "bridge");
    await send(deleteLink("veth0000001"));
    assert.deepEqual(
      ip("link show", other.pid).map(({ ifname }) => ifname),
      ["lo"],
    );
  } finally {
    other.kill("SIGKILL");
  }
});

test("the first message that is refused fails, by its own name and reason", can, async () => {
  fresh();
  const link = indexOf("base");
  const plan = batch([
    because(addAddress(link, "10.0.0.1", 8)),
    because(addAddress(link, "10.0.0.1", 8), { why: "give it twice", option: "--ip 10.0.0.1", hint: "once" }),
    because(deleteLink("nobody")),
  ]);
  await assert.rejects(runPlan(plan), (error: StepError) => {
    assert.ok(error instanceof StepError);
    assert.equal(error.number, 2);
    assert.equal(
      error.message,
      "Cannot give it twice (--ip 10.0.0.1): ip address add: file exists (EEXIST); once",
    );
    return true;
  });
});

test("a tolerated refusal goes on, in the middle and at the end", can, async () => {
  fresh();
  const gone = because(deleteLink("nobody"), { tolerate: ["EPERM", "ENODEV"] });
  const link = indexOf("base");
  await runPlan(batch([gone, gone, because(addAddress(link, "10.0.0.1", 8)), gone]));
  assert.match(JSON.stringify(ip("address show base")), /10\.0\.0\.1/);
  await assert.rejects(runPlan(batch([gone, because(addAddress(link, "10.0.0.1", 8)), gone])), /EEXIST/);
});

import {
  ask,
  createNetwork,
  endEngine,
  inside,
  otherHost,
  reaches,
  remove,
  run,
  startEngine,
} from "./engine.ts";

/** Macvlans and ipvlans on a wire to another host, with and without a tag. Prints what was found as one line of JSON. */
const IP = "/usr/sbin/ip";
const found: Record<string, unknown> = {};

// The other host: a namespace with the other end of the wire, and on it two networks.
const far = await otherHost();
const sh = (script: string): string => inside(0, "sh", "-euc", script);
sh(`${IP} link add wire type veth peer name far netns ${far}; ${IP} link set wire up; ip link set lo up`);
inside(
  far,
  "sh",
  "-euc",
  `${IP} link set far up; ${IP} addr add 10.7.0.254/24 dev far
   ${IP} link add link far name far.50 type vlan id 50; ${IP} addr add 10.50.0.254/24 dev far.50; ${IP} link set far.50 up`,
);
const exists = (link: string): boolean => inside(0, IP, "-o", "link", "show", link).includes(`${link}@`);
await startEngine();

async function pair(network: string): Promise<{ first: number; address: string; refused: string }> {
  const one = await run("one", network);
  const two = await run("two", network);
  return { first: one.pid, address: two.address, refused: one.refused || two.refused };
}

// A VLAN that is made with the network.
const tagged = { Subnet: "10.50.0.0/24", Gateway: "10.50.0.254" };
found.tagged = await createNetwork("tagged", "macvlan", { parent: "wire.50" }, tagged);
found.vlan = /vlan protocol 802.1Q id 50/.test(inside(0, IP, "-d", "link", "show", "wire.50"));
{
  const { first, address } = await pair("tagged");
  found.taggedEachOther = reaches(first, address);
  found.taggedRouter = reaches(first, "10.50.0.254");
  found.second = await createNetwork("second", "macvlan", { parent: "wire.50" }, { Subnet: "10.51.0.0/24" });
  await ask("DELETE", "/networks/second");
  found.stillThere = exists("wire.50");
  await endEngine("SIGKILL");
  await startEngine();
  found.afterKill = reaches(first, address);
  await remove("one", "two");
  await ask("DELETE", "/networks/tagged");
  found.gone = !exists("wire.50");
}
// One that somebody made stays.
sh(`${IP} link add link wire name wire.60 type vlan id 60; ${IP} link set wire.60 up`);
await createNetwork("theirs", "ipvlan", { parent: "wire.60" }, { Subnet: "10.60.0.0/24" });
await ask("DELETE", "/networks/theirs");
found.theirs = exists("wire.60");
found.taken = await createNetwork("taken", "macvlan", { parent: "wire.4095" }, { Subnet: "10.60.0.0/24" });

// Every mode, on the wire itself.
const plain = { Subnet: "10.7.0.0/24", Gateway: "10.7.0.254" };
const modes: Record<string, unknown> = {};
for (const [driver, option, mode] of [
  ["macvlan", "macvlan_mode", "bridge"],
  ["macvlan", "macvlan_mode", "private"],
  ["macvlan", "macvlan_mode", "vepa"],
  ["ipvlan", "ipvlan_flag", "bridge"],
  ["ipvlan", "ipvlan_flag", "private"],
  ["ipvlan", "ipvlan_flag", "vepa"],
  ["ipvlan", "ipvlan_mode", "l3"],
  ["ipvlan", "ipvlan_mode", "l3s"],
] as const) {
  const key = `${driver} ${option}=${mode}`;
  const refused = await createNetwork("lan", driver, { parent: "wire", [option]: mode }, plain);
  const { first, address, refused: start } = await pair("lan");
  modes[key] = {
    refused: refused || start,
    eachOther: reaches(first, address),
    router: reaches(first, "10.7.0.254"),
    route: inside(first, IP, "route", "show", "default"),
    shown: new RegExp(`${mode}`).test(inside(first, IP, "-d", "link", "show", "eth0")),
  };
  await remove("one", "two");
  await ask("DELETE", "/networks/lan");
}
found.modes = modes;
// One container alone has the parent.
await createNetwork("lan", "macvlan", { parent: "wire", macvlan_mode: "passthru" }, plain);
found.passthru = reaches((await run("one", "lan")).pid, "10.7.0.254");
found.passthruShared = await createNetwork("x", "macvlan", { parent: "wire" }, { Subnet: "10.8.0.0/24" });
await remove("one");
await ask("DELETE", "/networks/lan");
// Two ipvlans of one parent have one mode; the same parent for both kinds is refused.
await createNetwork("lan", "ipvlan", { parent: "wire" }, plain);
found.otherMode = await createNetwork(
  "x",
  "ipvlan",
  { parent: "wire", ipvlan_mode: "l3" },
  { Subnet: "10.8.0.0/24" },
);
await ask("DELETE", "/networks/lan");

// Closed ones: with a parent, and without one.
for (const [name, driver, options, more] of [
  ["closed", "ipvlan", { parent: "wire" }, { Internal: true }],
  ["alone", "macvlan", {}, {}],
  ["aloneToo", "ipvlan", { ipvlan_mode: "l3" }, {}],
] as const) {
  const refused = await createNetwork(name, driver, options, { Subnet: "10.9.0.0/24" }, more);
  const { first, address, refused: start } = await pair(name);
  const link = inside(0, "sh", "-c", `ip -o link | grep -o ' d[mi]-[0-9a-f]*'`);
  found[name] = {
    refused: refused || start,
    eachOther: reaches(first, address),
    route: inside(first, IP, "route", "show", "default"),
    address,
    link,
  };
  await remove("one", "two");
  await ask("DELETE", `/networks/${name}`);
}
found.left = inside(0, "sh", "-c", "ip -o link | grep -c ' d[mi]-'");

// The engine ends: links that no running container is on go with it, and come again with the next one.
await createNetwork("tagged", "macvlan", { parent: "wire.50" }, tagged);
await endEngine("SIGTERM");
found.goneWithEngine = !exists("wire.50");
await startEngine();
found.again = reaches((await run("one", "tagged")).pid, "10.50.0.254");
await remove("one");
await ask("DELETE", "/networks/tagged");
await endEngine("SIGTERM");
found.last = exists("wire.50");
console.log(`found ${JSON.stringify(found)}`);
process.exit();

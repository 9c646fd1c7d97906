import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { check } from "../../src/cgroup/check.ts";
import { readLayout } from "../../src/cgroup/layout.ts";
import { prepareParent } from "../../src/cgroup/parent.ts";
import { remove } from "../../src/cgroup/remove.ts";
import { update } from "../../src/cgroup/update.ts";
import { needs, root } from "../support/skip.ts";
import { scene } from "./scene.ts";

const v1 = readLayout().controllers.get("cpu")?.version === 1 ? undefined : "no cgroup v1 here";
const read = (file: string) => readFileSync(file, "utf8").trim();

test("a share of 0.2 CPUs is a quota of 20000 in a period of 100000", needs(root(), v1), async () => {
  await using it = scene({ cpu: { quota: 20_000, period: 100_000, shares: 512 } });
  assert.equal(read(`${it.at("cpu")}/cpu.cfs_quota_us`), "20000");
  assert.equal(read(`${it.at("cpu")}/cpu.cfs_period_us`), "100000");
  assert.equal(read(`${it.at("cpu")}/cpu.shares`), "512");
});

test("memory, swap and process limits are what was asked for", needs(root(), v1), async () => {
  await using it = scene({
    memory: { limit: 48 << 20, swap: 96 << 20, reservation: 24 << 20, swappiness: 10 },
    pids: { limit: 17 },
  });
  const memory = it.at("memory");
  assert.equal(read(`${memory}/memory.limit_in_bytes`), String(48 << 20));
  assert.equal(read(`${memory}/memory.memsw.limit_in_bytes`), String(96 << 20));
  assert.equal(read(`${memory}/memory.soft_limit_in_bytes`), String(24 << 20));
  assert.equal(read(`${memory}/memory.swappiness`), "10");
  assert.equal(read(`${it.at("pids")}/pids.max`), "17");
});

test("a new cpuset has its parent's processors, so that a process can enter", needs(root(), v1), async () => {
  await using it = scene();
  assert.equal(read(`${it.at("cpuset")}/cpuset.cpus`), it.parent.cpuset?.cpus);
  assert.equal(read(`${it.at("cpuset")}/cpuset.mems`), it.parent.cpuset?.mems);
});

test("device rules deny what they do not name", needs(root(), v1), async () => {
  await using it = scene({ devices: [{ allow: true, type: "c", major: 10, minor: 229, access: "rw" }] });
  const list = read(`${it.at("devices")}/devices.list`).split("\n");
  assert.ok(list.includes("c 10:229 rw"));
  assert.ok(list.includes("c 136:* rwm"));
  assert.ok(list.includes("c 10:200 rwm"), "tun, which images make themselves");
  assert.ok(!list.includes("a *:* rwm"));
});

test("a rule for all types is one for each, not for everything", needs(root(), v1), async () => {
  await using it = scene({ devices: [{ allow: true, access: "r" }] });
  const list = read(`${it.at("devices")}/devices.list`).split("\n");
  assert.ok(!list.includes("a *:* rwm"), list.join());
  for (const line of ["b *:* rm", "c *:* rm"]) assert.ok(list.includes(line), list.join());
});

test("block devices are throttled", needs(root(), v1), async () => {
  const [disk] = read("/proc/partitions").split("\n").slice(2);
  const [major, minor] = (disk ?? "").trim().split(/\s+/).map(Number);
  await using it = scene({
    blockIO: { throttleReadBpsDevice: [{ major: major ?? 0, minor: minor ?? 0, rate: 1 << 20 }] },
  });
  assert.equal(read(`${it.at("blkio")}/blkio.throttle.read_bps_device`), `${major}:${minor} ${1 << 20}`);
});

test("limits are lowered and raised in whichever order the kernel takes", needs(root(), v1), async () => {
  await using it = scene({ memory: { limit: 64 << 20, swap: 64 << 20 } });
  const both = () =>
    ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"].map((name) =>
      Number(read(`${it.at("memory")}/${name}`)),
    );
  // Raising: memory may not pass the old sum, so the sum must go first; lowering is the other way round.
  for (const size of [256, 32, 128]) {
    update(it.parent, it.cgroup, { memory: { limit: size << 20, swap: size << 20 } });
    assert.deepEqual(both(), [size << 20, size << 20]);
  }
});

test("an update that fails half-way changes nothing and says why", needs(root(), v1), async () => {
  await using it = scene({ cpu: { shares: 512, quota: 50_000, period: 100_000 } });
  assert.throws(
    () => update(it.parent, it.cgroup, { cpu: { shares: 256, cpus: "4000" } }),
    (error: Error & { hint?: string }) =>
      error.message.startsWith("Cannot set cpu.cpus: ") && error.hint?.includes("parent cgroup") === true,
  );
  assert.equal(read(`${it.at("cpu")}/cpu.shares`), "512");
});

test("what the kernel lacks is discarded with the file that was looked for", needs(root(), v1), async () => {
  await using it = scene();
  if (["blkio.weight", "blkio.bfq.weight"].some((name) => existsSync(`${it.at("blkio")}/${name}`))) return;
  const result = check(it.parent, { blockIO: { weight: 300 }, pids: { limit: 5 } });
  assert.deepEqual(result.warnings, [
    `The block I/O weight is discarded: this kernel has no blkio.weight or blkio.bfq.weight in ${it.layout.controllers.get("blkio")?.path}${it.parent.cgroup}`,
  ]);
  assert.deepEqual(result.resources, { blockIO: {}, pids: { limit: 5 } });
});

test("preparing a parent twice is preparing it once", needs(root(), v1), async () => {
  const layout = readLayout();
  const name = `/cais-test-${process.pid}-twice/deeper`;
  const first = prepareParent(layout, name);
  const plain = ({ files, ...rest }: typeof first) => ({ ...rest, trees: [...files.keys()] });
  assert.deepEqual(plain(prepareParent(layout, name)), plain(first));
  await remove(layout, `/cais-test-${process.pid}-twice`);
  assert.ok(layout.hierarchies.every(({ path }) => !existsSync(`${path}/cais-test-${process.pid}-twice`)));
});

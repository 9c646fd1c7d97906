import assert from "node:assert/strict";
import { test } from "node:test";
import { directoryIn, parseLayout, readLayout } from "../../src/cgroup/layout.ts";

const parse = (mountinfo: string, cgroup: string, unified = "cpu io memory pids\n") =>
  parseLayout({ mountinfo, cgroup, unifiedControllers: () => unified });

test("v2 alone", () => {
  const layout = parse(
    "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n",
    "0::/user.slice/session-2.scope\n",
    "cpuset cpu io memory hugetlb pids rdma misc\n",
  );
  assert.equal(layout.mode, "v2");
  assert.equal(layout.unified?.own, "/user.slice/session-2.scope");
  assert.equal(layout.controllers.get("memory")?.path, "/sys/fs/cgroup");
  assert.equal(layout.controllers.get("cpuacct"), undefined);
});

test("v1 with controllers mounted together and systemd's named tree", () => {
  const layout = parse(
    [
      "25 18 0:21 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755",
      "26 25 0:22 / /sys/fs/cgroup/systemd rw shared:9 - cgroup cgroup rw,xattr,release_agent=/lib/systemd/agent,name=systemd",
      "28 25 0:24 / /sys/fs/cgroup/cpu,cpuacct rw shared:10 - cgroup cgroup rw,cpu,cpuacct",
      "29 25 0:25 /docker/1f /sys/fs/cgroup/net\\040work rw - cgroup cgroup rw,net_cls,net_prio,clone_children",
    ].join("\n"),
    "4:net_cls,net_prio:/docker/1f\n3:cpu,cpuacct:/system.slice/a:b.service\n1:name=systemd:/init.scope\n",
  );
  assert.equal(layout.mode, "v1");
  assert.equal(layout.unified, undefined);
  assert.equal(layout.controllers.get("cpu"), layout.controllers.get("cpuacct"));
  assert.equal(layout.controllers.get("cpuacct")?.own, "/system.slice/a:b.service");
  assert.equal(layout.controllers.get("net_prio")?.path, "/sys/fs/cgroup/net work");
  assert.equal(layout.controllers.get("net_prio")?.root, "/docker/1f");
  const named = layout.hierarchies.find(({ name }) => name === "systemd");
  assert.deepEqual([named?.own, named?.controllers], ["/init.scope", []]);
});

test("a hybrid: what v1 has is v1's, the rest is v2's; a tree mounted twice counts once", () => {
  const layout = parse(
    [
      "32 31 0:29 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory",
      "33 31 0:29 / /elsewhere/memory rw,relatime - cgroup cgroup rw,memory",
      "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw",
      "42 31 0:38 / /elsewhere/unified rw,relatime - cgroup2 cgroup2 rw",
    ].join("\n"),
    "4:memory:/a\n0::/b\n",
    "hugetlb\n",
  );
  assert.equal(layout.mode, "hybrid");
  assert.deepEqual(
    layout.hierarchies.map(({ path }) => path),
    ["/sys/fs/cgroup/memory", "/sys/fs/cgroup/unified"],
  );
  assert.equal(layout.controllers.get("memory")?.version, 1);
  assert.equal(layout.controllers.get("hugetlb")?.version, 2);
});

test("no cgroup file system at all is an error with a hint", () => {
  assert.throws(() => parse("23 1 0:1 / / rw - ext4 /dev/vda rw\n", ""), {
    name: "CgroupError",
    message: "Cannot read the cgroup layout: /proc/self/mountinfo: no cgroup file system is mounted",
  });
});

test("this machine has a layout, and a path cannot leave its tree", () => {
  const [tree] = readLayout().hierarchies;
  assert.ok(tree !== undefined);
  assert.equal(directoryIn(tree, "../../etc/../../x"), `${tree.path}/x`);
});

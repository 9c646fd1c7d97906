import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_CAPABILITIES } from "../../../src/kernel/capabilities.ts";
import { ID, specOf } from "./facts.ts";

// What dockerd 28.5 writes for `docker run IMAGE sleep 1000`, its own quirks (every device rule twice) aside.
test("a container without options is Docker's", () => {
  const { spec, origins } = specOf();
  const { seccomp, resources, ...linux } = spec.linux!;
  const bind = (file: string) => ({
    destination: `/etc/${file}`,
    type: "bind",
    source: `/made/${file}`,
    options: ["rbind", "rprivate"],
  });
  assert.deepEqual(spec.process, {
    user: { uid: 0, gid: 0, additionalGids: [0, 29] },
    args: ["sleep", "1000"],
    env: [
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "HOSTNAME=594a7cc7ca2e",
      "HOME=/root",
    ],
    cwd: "/",
    capabilities: {
      bounding: DEFAULT_CAPABILITIES,
      effective: DEFAULT_CAPABILITIES,
      permitted: DEFAULT_CAPABILITIES,
    },
    oomScoreAdj: 0,
  });
  assert.deepEqual(spec.root, { path: "/root-of-it" });
  assert.equal(spec.hostname, "594a7cc7ca2e");
  assert.deepEqual(spec.mounts, [
    { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"] },
    {
      destination: "/dev",
      type: "tmpfs",
      source: "tmpfs",
      options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
    },
    {
      destination: "/dev/pts",
      type: "devpts",
      source: "devpts",
      options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
    },
    { destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", "ro"] },
    {
      destination: "/sys/fs/cgroup",
      type: "cgroup",
      source: "cgroup",
      options: ["ro", "nosuid", "noexec", "nodev"],
    },
    { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "noexec", "nodev"] },
    {
      destination: "/dev/shm",
      type: "tmpfs",
      source: "shm",
      options: ["nosuid", "noexec", "nodev", "mode=1777", "size=67108864"],
    },
    bind("resolv.conf"),
    bind("hostname"),
    bind("hosts"),
  ]);
  assert.deepEqual(linux, {
    sysctl: { "net.ipv4.ping_group_range": "0 2147483647", "net.ipv4.ip_unprivileged_port_start": "0" },
    cgroupsPath: `/cais/${ID}`,
    namespaces: ["mount", "network", "uts", "pid", "ipc", "cgroup"].map((type) => ({ type })),
    maskedPaths: [
      "/proc/asound",
      "/proc/acpi",
      "/proc/interrupts",
      "/proc/kcore",
      "/proc/keys",
      "/proc/latency_stats",
      "/proc/timer_list",
      "/proc/timer_stats",
      "/proc/sched_debug",
      "/proc/scsi",
      "/sys/firmware",
      "/sys/devices/virtual/powercap",
    ],
    readonlyPaths: ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
  });
  const allowed = (resources!.devices ?? []).filter(({ allow }) => allow);
  assert.deepEqual(Object.keys(resources!), ["devices"]);
  assert.deepEqual(
    allowed.map(({ major, minor }) => `${major}:${minor}`),
    ["1:5", "1:3", "1:9", "1:8", "5:0", "5:1"],
  );
  assert.equal(seccomp?.defaultAction, "SCMP_ACT_ERRNO");
  assert.deepEqual(seccomp?.architectures, ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]);
  assert.deepEqual(origins, new Map());
});

test("thermal counters are masked for each processor that has them", () => {
  const path = (cpu: number) => `/sys/devices/system/cpu/cpu${cpu}/thermal_throttle`;
  const { spec } = specOf({}, {}, { exists: (one) => one === path(0) || one === path(1) });
  assert.deepEqual(spec.linux?.maskedPaths?.slice(-2), [path(0), path(1)]);
});

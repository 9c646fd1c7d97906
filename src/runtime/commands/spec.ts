import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { OCI_VERSION } from "../../oci/runtime/config.ts";
import type { Mount, RuntimeSpec } from "../../oci/runtime/spec.ts";
import { exactly } from "../arguments.ts";
import type { RuntimeCommand } from "../context.ts";
import { RuntimeError } from "../failure.ts";

/** `spec`: a configuration to begin with, the one that runc writes. */
const spec: RuntimeCommand = {
  flags: { bundle: { short: "b", value: true }, rootless: {} },
  run(_, given) {
    exactly(given, 0, "spec");
    const file = join(given.get("bundle") ?? ".", "config.json");
    if (existsSync(file)) throw new RuntimeError("File config.json exists. Remove it first");
    const text = JSON.stringify(given.has("rootless") ? rootless() : EXAMPLE, null, "\t");
    writeFileSync(file, `${text}\n`, { mode: 0o666 });
    return 0;
  },
};
export default spec;

const CAPABILITIES = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"];

const mounts: readonly Mount[] = [
  { destination: "/proc", type: "proc", source: "proc" },
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
  {
    destination: "/dev/shm",
    type: "tmpfs",
    source: "shm",
    options: ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
  },
  {
    destination: "/dev/mqueue",
    type: "mqueue",
    source: "mqueue",
    options: ["nosuid", "noexec", "nodev"],
  },
  { destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", "ro"] },
  {
    destination: "/sys/fs/cgroup",
    type: "cgroup",
    source: "cgroup",
    options: ["nosuid", "noexec", "nodev", "relatime", "ro"],
  },
];

const EXAMPLE: RuntimeSpec = {
  ociVersion: OCI_VERSION.max,
  process: {
    terminal: true,
    user: { uid: 0, gid: 0 },
    args: ["sh"],
    env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
    cwd: "/",
    capabilities: { bounding: CAPABILITIES, effective: CAPABILITIES, permitted: CAPABILITIES },
    rlimits: [{ type: "RLIMIT_NOFILE", hard: 1024, soft: 1024 }],
    noNewPrivileges: true,
  },
  root: { path: "rootfs", readonly: true },
  hostname: "cais",
  mounts,
  linux: {
    resources: { devices: [{ allow: false, access: "rwm" }] },
    namespaces: [
      { type: "pid" },
      { type: "network" },
      { type: "ipc" },
      { type: "uts" },
      { type: "mount" },
      { type: "cgroup" },
    ],
    maskedPaths: [
      "/proc/acpi",
      "/proc/asound",
      "/proc/kcore",
      "/proc/keys",
      "/proc/latency_stats",
      "/proc/timer_list",
      "/proc/timer_stats",
      "/proc/sched_debug",
      "/sys/firmware",
      "/proc/scsi",
    ],
    readonlyPaths: ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
  },
};

/** For a user without privileges: users of its own, the machine's network, no group that is not mapped. */
function rootless(): RuntimeSpec {
  const { resources: _, namespaces = [], ...linux } = EXAMPLE.linux ?? {};
  const own = (id: number | undefined) => [{ containerID: 0, hostID: id ?? 0, size: 1 }];
  return {
    ...EXAMPLE,
    mounts: mounts.map((mount) => {
      if (mount.destination === "/sys")
        return { ...mount, type: "none", source: "/sys", options: ["rbind", ...(mount.options ?? [])] };
      return { ...mount, options: (mount.options ?? []).filter((option) => option !== "gid=5") };
    }),
    linux: {
      ...linux,
      uidMappings: own(process.getuid?.()),
      gidMappings: own(process.getgid?.()),
      namespaces: [...namespaces.filter(({ type }) => type !== "network"), { type: "user" }],
    },
  };
}

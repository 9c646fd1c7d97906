import type { Mount } from "../../oci/runtime/spec.ts";
import type { HostConfig } from "../../wire/container.ts";
import { typedBytes } from "./origins.ts";
import { parseSecurityOptions } from "./security.ts";
import { parseUserns } from "./userns.ts";

/** What `/dev/shm` holds unless `--shm-size` says otherwise. */
export const DEFAULT_SHM_SIZE = 64 * 1024 * 1024;

/** The file systems of the kernel that every container has, in Docker's order and with Docker's flags. */
export function defaultMounts(
  host: HostConfig,
): readonly { readonly mount: Mount; readonly option?: string }[] {
  const privileged = host.Privileged ?? false;
  const size = host.ShmSize || DEFAULT_SHM_SIZE;
  const security = parseSecurityOptions(host.SecurityOpt);
  const writable = typeof security !== "string" && security.writableCgroups;
  // A container with users of its own could not write the host's cgroups anyway.
  const cgroupWritable = privileged || writable || typeof parseUserns(host.UsernsMode) === "object";
  const cgroup = mount("/sys/fs/cgroup", "cgroup", "cgroup", [
    ...(cgroupWritable ? [] : ["ro"]),
    "nosuid",
    "noexec",
    "nodev",
  ]);
  const shm = mount("/dev/shm", "tmpfs", "shm", ["nosuid", "noexec", "nodev", "mode=1777", `size=${size}`]);
  return [
    mount("/proc", "proc", "proc", ["nosuid", "noexec", "nodev"]),
    mount("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
    mount("/dev/pts", "devpts", "devpts", [
      "nosuid",
      "noexec",
      "newinstance",
      "ptmxmode=0666",
      "mode=0620",
      "gid=5",
    ]),
    {
      ...mount("/sys", "sysfs", "sysfs", ["nosuid", "noexec", "nodev", ...(privileged ? [] : ["ro"])]),
      ...(privileged ? { option: "--privileged" } : {}),
    },
    {
      ...cgroup,
      ...(privileged
        ? { option: "--privileged" }
        : writable
          ? { option: "--security-opt writable-cgroups" }
          : {}),
    },
    mount("/dev/mqueue", "mqueue", "mqueue", ["nosuid", "noexec", "nodev"]),
    ...(host.IpcMode === "none"
      ? []
      : [{ ...shm, ...(host.ShmSize ? { option: `--shm-size ${typedBytes(host.ShmSize)}` } : {}) }]),
  ];
}

function mount(destination: string, type: string, source: string, options: readonly string[]) {
  return { mount: { destination, type, source, options } };
}

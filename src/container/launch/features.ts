import { type Arch, hostArch } from "../../kernel/arch.ts";
import { capabilitiesUpTo, readLastCapability } from "../../kernel/capabilities.ts";
import { OCI_VERSION } from "../../oci/runtime/config.ts";
import { SECCOMP_ACTIONS, SECCOMP_FLAGS, SECCOMP_OPERATORS } from "../../oci/runtime/read-seccomp.ts";
import { MEMORY_POLICIES, MEMORY_POLICY_FLAGS, readLabels } from "./attributes.ts";
import { seccompFlagHere } from "./machine.ts";
import { MOUNT_OPTIONS } from "./mount-options.ts";

/** Architectures whose system calls a policy can name, by the machine's own. */
const SECCOMP_ARCHITECTURES: Record<Arch, readonly string[]> = {
  x86_64: ["SCMP_ARCH_X32", "SCMP_ARCH_X86", "SCMP_ARCH_X86_64"],
  aarch64: ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
};

const NAMESPACES = ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"];

/**
 * What a runtime configuration may ask for (runtime-spec, features.md and features-linux.md): what this program does,
 * whether or not the machine that it is on right now could.
 */
export function features(arch: Arch = hostArch()): object {
  const labels = readLabels();
  return {
    ociVersionMin: OCI_VERSION.min,
    ociVersionMax: OCI_VERSION.max,
    hooks: ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"],
    mountOptions: MOUNT_OPTIONS,
    linux: {
      namespaces: NAMESPACES,
      capabilities: capabilitiesUpTo(readLastCapability()),
      cgroup: { v1: true, v2: true, systemd: true, systemdUser: false, rdma: true },
      seccomp: {
        enabled: true,
        actions: [...SECCOMP_ACTIONS].sort(),
        operators: [...SECCOMP_OPERATORS].sort(),
        archs: SECCOMP_ARCHITECTURES[arch],
        knownFlags: [...SECCOMP_FLAGS],
        supportedFlags: [...SECCOMP_FLAGS].filter(seccompFlagHere),
      },
      apparmor: { enabled: labels.apparmor },
      selinux: { enabled: labels.selinux },
      intelRdt: { enabled: false },
      memoryPolicy: { modes: MEMORY_POLICIES, flags: MEMORY_POLICY_FLAGS },
      mountExtensions: { idmap: { enabled: true } },
      netDevices: { enabled: true },
    },
    annotations: {},
    potentiallyUnsafeConfigAnnotations: [],
  };
}

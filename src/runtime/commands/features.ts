import { existsSync, writeSync } from "node:fs";
import { knownMountOptions } from "../../container/launch/mount-options.ts";
import { hostArch } from "../../kernel/arch.ts";
import { capabilitiesUpTo, readLastCapability } from "../../kernel/capabilities.ts";
import { OCI_VERSION } from "../../oci/runtime/config.ts";
import { SECCOMP_ACTIONS, SECCOMP_FLAGS, SECCOMP_OPERATORS } from "../../oci/runtime/read-seccomp.ts";
import { exactly } from "../arguments.ts";
import type { RuntimeCommand } from "../context.ts";

/** `features`: what this runtime does on this machine, in the form of the specification's features.md. */
const features: RuntimeCommand = {
  flags: {},
  run(_, given) {
    exactly(given, 0, "features");
    writeSync(1, `${JSON.stringify(supported(), null, 4)}\n`);
    return 0;
  },
};
export default features;

/** Architectures whose calls a policy can name, by that of the machine. */
const SECCOMP_ARCHITECTURES = {
  x86_64: ["SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_X86_64"],
  aarch64: ["SCMP_ARCH_ARM", "SCMP_ARCH_AARCH64"],
} as const;

function supported(): object {
  return {
    ociVersionMin: OCI_VERSION.min,
    ociVersionMax: OCI_VERSION.max,
    hooks: ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"],
    mountOptions: knownMountOptions(),
    linux: {
      namespaces: ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"],
      capabilities: capabilitiesUpTo(readLastCapability()),
      cgroup: { v1: true, v2: true, systemd: false, systemdUser: false, rdma: false },
      seccomp: {
        enabled: true,
        actions: [...SECCOMP_ACTIONS],
        operators: [...SECCOMP_OPERATORS],
        archs: SECCOMP_ARCHITECTURES[hostArch()],
        knownFlags: [...SECCOMP_FLAGS],
        supportedFlags: [...SECCOMP_FLAGS],
      },
      apparmor: { enabled: existsSync("/sys/kernel/security/apparmor") },
      selinux: { enabled: existsSync("/sys/fs/selinux/enforce") },
      intelRdt: { enabled: false },
      mountExtensions: { idmap: { enabled: true } },
    },
    annotations: {},
  };
}

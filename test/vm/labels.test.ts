// Safe beside other test files.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { hostArch } from "../../src/kernel/arch.ts";
import type { Process, RuntimeSpec } from "../../src/oci/runtime/spec.ts";
import { ROOT } from "../../tools/check/sources.ts";
import { needs } from "../support/skip.ts";
import type { Entry } from "./cpio.ts";
import { type Files, host, merged, text } from "./files.ts";
import { guestBusybox, repository, runInVm, vmMissing } from "./harness.ts";
import { SAY, saidIn } from "./said.ts";
import { inPackages, systemdMissing } from "./systemd.ts";

// Security modules that label processes: the policies are compiled here, the guest only loads them.

const LINK: Entry = { kind: "link", target: "busybox" };

function bundle(name: string, process: Partial<Process>, linux: RuntimeSpec["linux"] = {}): Files {
  const spec: RuntimeSpec = {
    ociVersion: "1.2.0",
    root: { path: "rootfs" },
    process: { cwd: "/", user: { uid: 0, gid: 0 }, env: ["PATH=/bin"], ...process },
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      { destination: "/dev", type: "tmpfs", source: "tmpfs" },
    ],
    linux: {
      cgroupsPath: `/own/${name}`,
      namespaces: (["pid", "network", "mount", "ipc", "uts"] as const).map((type) => ({ type })),
      ...linux,
    },
  };
  return new Map<string, Entry>([
    [`/${name}/config.json`, text(JSON.stringify(spec))],
    [`/${name}/rootfs/proc`, { kind: "directory" }],
    [`/${name}/rootfs/dev`, { kind: "directory" }],
    [`/${name}/rootfs/bin/busybox`, host(guestBusybox(hostArch()))],
    ...["cat", "sh", "sleep"].map((each) => [`/${name}/rootfs/bin/${each}`, LINK] as const),
  ]);
}

/** What a program of the packages writes to a file that is named behind `args`. */
function compiled(
  program: string,
  source: string,
  args: (from: string, to: string) => readonly string[],
): Entry {
  const directory = mkdtempSync(join(tmpdir(), "cais-policy-"));
  try {
    const [from, to] = [join(directory, "source"), join(directory, "policy")];
    writeFileSync(from, source);
    execFileSync(inPackages(program), args(from, to), { stdio: "ignore" });
    return { kind: "file", bytes: readFileSync(to), mode: 0o600 };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const OCI = `
oci() { bun /cais/src/cli/main.ts runtime --root /run/oci "$@"; }
${SAY}
`;

const PROFILE = `abi <abi/3.0>,
profile cais-test flags=(attach_disconnected,mediate_deleted) {
  file,
  capability,
  signal,
  deny /forbidden rwx,
}
`;

const APPARMOR = `${OCI}
mount -t securityfs securityfs /sys/kernel/security
cat /profile > /sys/kernel/security/apparmor/.load
say run oci run --bundle /one one
say missing oci run --bundle /two two
oci run -d --bundle /three three < /dev/null > /dev/null 2>&1
say exec oci exec three cat /proc/self/attr/current
say other oci exec --apparmor unconfined three cat /proc/self/attr/current
say features sh -c 'bun /cais/src/cli/main.ts runtime features | grep -A 1 apparmor'
cais() { bun /cais/src/cli/main.ts --root /run/root --run /run/run "$@"; }
mkfifo /run/ready
CAIS_READY_FD=3 cais serve > /run/log 2>&1 3> /run/ready &
head -c 1 /run/ready > /dev/null
cais run -d --name box --network none --security-opt apparmor=cais-test host sleep 1000 > /dev/null
say engine cais exec box cat /proc/self/attr/current
say inspect cais inspect -f '{{.AppArmorProfile}}' box
say refused cais run --rm --network none --security-opt apparmor=nosuch host true
`;

test(
  "AppArmor confines a container and what is executed in it",
  needs(vmMissing(), systemdMissing()),
  async () => {
    const profile = compiled("/sbin/apparmor_parser", PROFILE, (from, to) => [
      ...["--config-file", "/dev/null", "--base", inPackages("/etc/apparmor.d")],
      ...["--skip-cache", "--skip-kernel-load", "--ofile", to, from],
    ]);
    const look = "cat /proc/self/attr/current; (echo > /forbidden) 2> /dev/null || echo denied";
    const result = await runInVm({
      files: merged(
        repository(ROOT),
        new Map([["/profile", profile]]),
        bundle("one", { args: ["sh", "-c", look], apparmorProfile: "cais-test", noNewPrivileges: true }),
        bundle("two", { args: ["sh", "-c", look], apparmorProfile: "nosuch" }),
        bundle("three", { args: ["sleep", "1000"], apparmorProfile: "cais-test" }),
      ),
      kernelArgs: ["apparmor=1", "security=apparmor"],
      modules: ["overlay"],
      command: APPARMOR,
      memory: 2048,
      timeoutSeconds: 170,
    });
    const said = saidIn(result.output);
    const confined = "cais-test (enforce)";
    assert.equal(said.get("run"), `${confined} denied`, result.output);
    assert.match(said.get("missing") ?? "", /AppArmor: write: .*ENOENT.*load the profile nosuch first/);
    assert.equal(said.get("exec"), confined, result.output);
    assert.equal(said.get("other"), "unconfined", result.output);
    assert.match(said.get("features") ?? "", /"enabled": true/);
    assert.equal(said.get("engine"), confined, result.output);
    assert.equal(said.get("inspect"), "cais-test", result.output);
    assert.match(said.get("refused") ?? "", /AppArmor.*apparmor=nosuch.*load the profile nosuch first/);
  },
);

/** The smallest policy: two types, and the kernel's initial labels, in its order (security/selinux/include/initial_sid_to_string.h). */
function selinuxPolicy(): string {
  const initial =
    "kernel security unlabeled fs file file_labels init any_socket port netif netmsg node igmp_packet icmp_socket " +
    "tcp_socket sysctl_modprobe sysctl sysctl_fs sysctl_kernel sysctl_net sysctl_net_unix sysctl_vm sysctl_dev kmod " +
    "policy scmp_packet devnull";
  const names = initial.split(" ");
  return [
    "class process",
    "class file",
    ...names.map((name) => `sid ${name}`),
    "class process { fork transition dyntransition setexec }",
    "class file { entrypoint execute }",
    "type base_t;",
    "type box_t;",
    "role base_r;",
    "role base_r types { base_t box_t };",
    "allow base_t box_t:process transition;",
    "user system_u roles { base_r };",
    ...names.map((name) => `sid ${name} system_u:base_r:base_t`),
    "",
  ].join("\n");
}

const SELINUX = `${OCI}
mount -t selinuxfs selinuxfs /sys/fs/selinux
cat /policy > /sys/fs/selinux/load
say run oci run --bundle /one one
say missing oci run --bundle /two two
`;

test(
  "SELinux labels a container's process and its mounts",
  needs(vmMissing(), systemdMissing()),
  async () => {
    const policy = compiled("/usr/bin/checkpolicy", selinuxPolicy(), (from, to) => [
      ...["-U", "allow", "-c", "33", "-o", to, from],
    ]);
    const label = "system_u:base_r:box_t";
    const args = ["sh", "-c", "cat /proc/self/attr/current; grep -c 'dev tmpfs.*context=' /proc/mounts"];
    const result = await runInVm({
      files: merged(
        repository(ROOT),
        new Map([["/policy", policy]]),
        bundle("one", { args, selinuxLabel: label }, { mountLabel: label }),
        bundle("two", { args, selinuxLabel: "system_u:base_r:none_t" }),
      ),
      kernelArgs: ["security=selinux"],
      command: SELINUX,
      memory: 2048,
      timeoutSeconds: 170,
    });
    const said = saidIn(result.output);
    assert.equal(said.get("run"), `${label} 1`, result.output);
    assert.match(said.get("missing") ?? "", /SELinux: write: .*EINVAL.*the policy has no such label/);
  },
);

import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultPolicy } from "../../../src/kernel/seccomp/default.ts";
import type { Policy } from "../../../src/kernel/seccomp/policy.ts";
import { type Profile, resolveProfile } from "../../../src/kernel/seccomp/profile.ts";

/** Each call the policy lets happen without conditions. */
function allowed(policy: Policy): ReadonlySet<string> {
  const rules = (policy.syscalls ?? []).filter(({ action, args }) => action === "SCMP_ACT_ALLOW" && !args);
  return new Set(rules.flatMap(({ names }) => names));
}

const policy = (...capabilities: string[]) =>
  defaultPolicy({ arch: "x86_64", capabilities, kernel: "6.18.0" });

// What dockerd 28.5 adds to the policy of `--cap-drop ALL` for `--cap-add` of one.
const ADDED: Readonly<Record<string, string>> = {
  CAP_BPF: "bpf",
  CAP_CHOWN: "",
  CAP_DAC_READ_SEARCH: "open_by_handle_at",
  CAP_NET_ADMIN: "",
  CAP_PERFMON: "perf_event_open",
  CAP_SYSLOG: "syslog",
  CAP_SYS_ADMIN:
    "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare",
  CAP_SYS_BOOT: "reboot",
  CAP_SYS_CHROOT: "chroot",
  CAP_SYS_MODULE: "delete_module finit_module init_module",
  CAP_SYS_NICE: "get_mempolicy mbind set_mempolicy set_mempolicy_home_node",
  CAP_SYS_PACCT: "acct",
  CAP_SYS_PTRACE: "kcmp pidfd_getfd process_madvise",
  CAP_SYS_RAWIO: "ioperm iopl",
  CAP_SYS_TIME: "clock_settime clock_settime64 settimeofday stime",
  CAP_SYS_TTY_CONFIG: "vhangup",
};

for (const [capability, names] of Object.entries(ADDED)) {
  test(`the default policy with ${capability} allows what Docker's does`, () => {
    const base = allowed(policy());
    const more = [...allowed(policy(capability))].filter((name) => !base.has(name)).sort();
    assert.deepEqual(more.join(" "), names);
  });
}

test("the default policy without capabilities has Docker's 366 calls", () => {
  assert.equal(allowed(policy()).size, 361 + 3 + 2);
  assert.ok(!allowed(policy()).has("clone"));
  assert.deepEqual(
    policy().syscalls?.find(({ names }) => names[0] === "clone3"),
    { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: 38 },
  );
});

test("aarch64 has ARM's own calls and not those of x86", () => {
  const arm = defaultPolicy({ arch: "aarch64", capabilities: [], kernel: "6.18.0" });
  assert.deepEqual(arm.architectures, ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]);
  assert.ok(allowed(arm).has("sync_file_range2") && allowed(arm).has("cacheflush"));
  assert.ok(!allowed(arm).has("arch_prctl"));
});

test("before Linux 4.8 the default lets nobody trace", () => {
  const old = resolveAgain("4.7.10");
  assert.ok(!old.has("ptrace") && old.has("read"));
  assert.ok(resolveAgain("4.8.0-1-amd64").has("ptrace"));
});

const resolveAgain = (kernel: string) => allowed(defaultPolicy({ arch: "x86_64", capabilities: [], kernel }));

test("the same circumstances give the same policy, so that it is compiled once", () => {
  assert.equal(policy("CAP_SYS_ADMIN", "CAP_CHOWN"), policy("CAP_FOWNER", "CAP_SYS_ADMIN"));
  assert.notEqual(policy("CAP_SYS_ADMIN"), policy());
});

test("includes need all that is named, excludes need one", () => {
  const rule = (name: string, more: object) =>
    ({ names: [name], action: "SCMP_ACT_ALLOW", ...more }) as const;
  const profile: Profile = {
    defaultAction: "SCMP_ACT_ERRNO",
    syscalls: [
      rule("a", { includes: { caps: ["CAP_CHOWN", "CAP_KILL"] } }),
      rule("b", { includes: { caps: ["CAP_CHOWN"], arches: ["arm64"] } }),
      rule("c", { excludes: { caps: ["CAP_BPF", "CAP_CHOWN"] } }),
      rule("d", { excludes: { minKernel: "5.0" } }),
      rule("e", { includes: { arches: ["amd64"], minKernel: "6.1" } }),
      { name: "f", action: "SCMP_ACT_ALLOW", excludes: { arches: ["arm64"] } },
    ],
  };
  const resolve = (arch: "x86_64" | "aarch64", kernel: string, ...capabilities: string[]) =>
    [...allowed(resolveProfile(profile, { arch, kernel, capabilities }))].join("");
  assert.equal(resolve("x86_64", "6.18.0"), "cef");
  assert.equal(resolve("x86_64", "4.19.0", "CAP_CHOWN", "CAP_KILL"), "adf");
  assert.equal(resolve("aarch64", "6.18.0", "CAP_CHOWN"), "b");
});

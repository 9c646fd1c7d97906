import type { Arch } from "../../kernel/arch.ts";
import {
  CAPABILITIES,
  type CapabilityName,
  capabilityMask,
  capabilityName,
  readLastCapability,
} from "../../kernel/capabilities.ts";
import { CAPABILITY_VERSION_3, PR, PR_CAP_AMBIENT } from "../../kernel/flags.ts";
import { RLIMITS, rlimitName, rlimitValue } from "../../kernel/rlimits.ts";
import type { Seccomp } from "../../oci/runtime/seccomp.ts";
import type { Capabilities, Process, Rlimit, User } from "../../oci/runtime/spec.ts";
import { call, mem, num, struct, u32, u64 } from "../../plan/build.ts";
import type { Step } from "../../plan/step.ts";
import { writeFile } from "./files.ts";
import { writeOfChild } from "./namespaces.ts";
import type { Because } from "./reasons.ts";
import { seccompFilter } from "./seccomp.ts";

/** From root of the launch program to what the workload may be and do, in the order the kernel demands. */

const lastCapability = readLastCapability();

function known(names: readonly string[] = []): CapabilityName[] {
  return names.flatMap((name) => {
    const found = capabilityName(name);
    return found !== undefined && CAPABILITIES[found] <= lastCapability ? [found] : [];
  });
}

/** setrlimit, before the capability to raise hard limits is gone. */
export function resourceLimits(limits: readonly Rlimit[], because: Because): Step[] {
  const hint =
    "a hard limit above the engine's own needs CAP_SYS_RESOURCE, which the engine does not have here";
  return limits.map((limit, index) => {
    const name = rlimitName(limit.type);
    if (name === undefined) throw new Error(`Cannot limit ${limit.type}: the kernel has no such limit`);
    const value = struct([u64(rlimitValue(limit.soft), rlimitValue(limit.hard))]);
    return call(
      "prlimit64",
      [num(0), num(RLIMITS[name], name), mem(value, `${limit.soft}:${limit.hard}`), num(0)],
      because(`process.rlimits[${index}]`, `limit the process (${name})`, hint),
    );
  });
}

const scoreReason = (because: Because) =>
  because(
    "process.oomScoreAdj",
    "set how readily the kernel kills it when memory is short",
    "a score below the engine's own needs CAP_SYS_RESOURCE, which the engine does not have here",
  );

/** How readily the kernel kills the process when memory is short; while the host's `/proc` and rights are there. */
export function oomScore(score: number | undefined, because: Because): Step[] {
  return score === undefined
    ? []
    : [writeFile("/proc/self/oom_score_adj", String(score), scoreReason(because))];
}

/** In the keeper, for a child with users of its own: that has no right to lower it (`__set_oom_adj` in fs/proc/base.c). */
export function oomScoreOfChild(score: number | undefined, because: Because): Step[] {
  if (score === undefined) return [];
  return writeOfChild("oom_score_adj", String(score), scoreReason(because));
}

/** The bounding set: what no program of the container can ever gain (capabilities(7)). */
function boundingSet(capabilities: Capabilities, because: Because): Step[] {
  const kept = new Set(known(capabilities.bounding));
  const reason = because("process.capabilities", "drop capabilities for good");
  return Array.from({ length: lastCapability + 1 }, (_, number) => number)
    .filter((number) => !kept.has(nameOf(number)))
    .map((number) =>
      call("prctl", [num(PR.CAPBSET_DROP, "PR_CAPBSET_DROP"), num(number, nameOf(number))], reason),
    );
}

const names = new Map<number, CapabilityName>(
  Object.entries(CAPABILITIES).map(([name, number]) => [number, name as CapabilityName]),
);
const nameOf = (number: number): CapabilityName => names.get(number) ?? (`CAP_${number}` as CapabilityName);

/** capset(2): `struct __user_cap_header_struct`, then effective, permitted, inheritable, low and high words. */
function setCapabilities(capabilities: Capabilities, because: Because): Step[] {
  const sets = [capabilities.effective, capabilities.permitted, capabilities.inheritable].map((set) =>
    capabilityMask(known(set)),
  );
  const half = (shift: bigint) => u32(...sets.map((mask) => Number((mask >> shift) & 0xffffffffn)));
  const reason = because("process.capabilities", "keep only the capabilities it may have");
  const ambient = known(capabilities.ambient);
  return [
    call(
      "capset",
      [
        mem(struct([u32(CAPABILITY_VERSION_3, 0)]), "version 3"),
        mem(struct([half(0n), half(32n)]), known(capabilities.effective).join(" ") || "none"),
      ],
      reason,
    ),
    ...ambient.map((name) =>
      call(
        "prctl",
        [
          num(PR.CAP_AMBIENT, "PR_CAP_AMBIENT"),
          num(PR_CAP_AMBIENT.RAISE, "PR_CAP_AMBIENT_RAISE"),
          num(CAPABILITIES[name], name),
          num(0),
          num(0),
        ],
        reason,
        // It must be inheritable too, and configurations name some that are not: `runc spec` writes such.
        { tolerate: ["EPERM"] },
      ),
    ),
  ];
}

function identity(user: User, inUserNamespace: boolean, because: Because): Step[] {
  const reason = because("process.user", `become user ${user.uid}, group ${user.gid}`);
  const groups = user.additionalGids ?? [];
  const { uid, gid } = user;
  return [
    call(
      "setgroups",
      [
        num(groups.length),
        groups.length === 0
          ? num(0)
          : mem(struct([u32(...groups, ...(groups.length % 2 ? [0] : []))]), groups.join(" ")),
      ],
      because("process.user.additionalGids", "set the supplementary groups"),
      // Where the namespace's maker had no right to it, groups cannot be given up (user_namespaces(7), "setgroups").
      inUserNamespace && groups.length === 0 ? { tolerate: ["EPERM"] } : {},
    ),
    call("setresgid", [num(gid), num(gid), num(gid)], reason),
    call("setresuid", [num(uid), num(uid), num(uid)], reason),
  ];
}

const EVERYTHING: Capabilities = {};

/** All of it, ending one step before `execve`. */
export function dropPrivileges(
  process: Process,
  seccomp: Seccomp | undefined,
  arch: Arch,
  inUserNamespace: boolean,
  because: Because,
  dies = true,
): Step[] {
  const capabilities = process.capabilities ?? EVERYTHING;
  const filter = seccomp === undefined ? [] : seccompFilter(seccomp, arch, because);
  const noNewPrivileges = process.noNewPrivileges === true;
  return [
    // From here on others in the container may be its equals. execve(2) takes it back.
    call(
      "prctl",
      [num(PR.SET_DUMPABLE, "PR_SET_DUMPABLE"), num(0)],
      "keep its memory and its program from the container's other processes",
    ),
    ...boundingSet(capabilities, because),
    // Without no_new_privs only CAP_SYS_ADMIN may load a filter, so that comes while it is still there.
    ...(noNewPrivileges ? [] : filter),
    call(
      "prctl",
      [num(PR.SET_KEEPCAPS, "PR_SET_KEEPCAPS"), num(1)],
      "keep capabilities while changing the user",
    ),
    ...identity(process.user, inUserNamespace, because),
    ...setCapabilities(capabilities, because),
    // Forgotten by the kernel when the user changed.
    ...(dies
      ? [
          call(
            "prctl",
            [num(PR.SET_PDEATHSIG, "PR_SET_PDEATHSIG"), num(9, "SIGKILL")],
            "end when the keeper ends: nobody would know of it",
          ),
        ]
      : []),
    ...(noNewPrivileges
      ? [
          call(
            "prctl",
            [num(PR.SET_NO_NEW_PRIVS, "PR_SET_NO_NEW_PRIVS"), num(1), num(0), num(0), num(0)],
            because("process.noNewPrivileges", "let no program gain privileges"),
          ),
          ...filter,
        ]
      : []),
  ];
}

/** The keeper's own: it only signals processes of other users from now on, and takes its wires back. */
export function keeperCapabilities(wires: boolean): Step {
  const kept: readonly CapabilityName[] = wires ? ["CAP_KILL", "CAP_NET_ADMIN"] : ["CAP_KILL"];
  const mask = Number(capabilityMask(kept));
  return call(
    "capset",
    [
      mem(struct([u32(CAPABILITY_VERSION_3, 0)]), "version 3"),
      mem(struct([u32(mask, mask, 0, 0, 0, 0)]), kept.join(" ")),
    ],
    wires
      ? "hold no capability but those to signal the container and to remove its wires"
      : "hold no capability but the one to signal the container",
  );
}

import type { CgroupPlan } from "../../cgroup/plan.ts";
import { type Arch, hostArch } from "../../kernel/arch.ts";
import { CLONE, flags } from "../../kernel/flags.ts";
import type { Rights } from "../../kernel/rights.ts";
import type { Seccomp } from "../../oci/runtime/seccomp.ts";
import type { Process, RuntimeSpec } from "../../oci/runtime/spec.ts";
import { call, close, from, num } from "../../plan/build.ts";
import { type Plan, type Step, SYNC, SYNC_PARENT } from "../../plan/step.ts";
import {
  anyProcessor,
  beginOn,
  endBegin,
  openLabel,
  processAttributes,
  readLabels,
  stayOn,
  writeLabel,
} from "./attributes.ts";
import { type CallerFacts, FAILURES, leftToCaller } from "./caller.ts";
import { enterCgroups } from "./cgroup.ts";
import { type KeeperFacts, keptBy } from "./custody.ts";
import { openRootOf, takeRootOf } from "./elsewhere.ts";
import { open } from "./files.ts";
import type { Bundle } from "./hooks.ts";
import { ownKeyring } from "./keyring.ts";
import { standInside } from "./place.ts";
import { dropPrivileges, oomScore, resourceLimits } from "./privileges.ts";
import { reasonsFrom } from "./reasons.ts";
import { passListener, unheard } from "./seccomp.ts";
import { syncSocket } from "./session.ts";
import { spendProgram } from "./spend.ts";
import { ownSession } from "./streams.ts";
import { execute } from "./workload.ts";

/** What a plan that joins a container is made from. */
export type ExecFacts = JoiningFacts & (KeeperFacts | { readonly caller: CallerFacts });

interface JoiningFacts {
  readonly process: Process;
  readonly seccomp: Seccomp | undefined;
  readonly origins: ReadonlyMap<string, string>;
  /** The container's first process, by the host's pid. */
  readonly pid: number;
  readonly ownUsers: boolean;
  readonly ownTime: boolean;
  /** As in `LaunchFacts`. */
  readonly rights?: Rights;
  /** Namespaces that it shares with the program: who has not made them may not enter them again. */
  readonly same?: readonly ("NEWCGROUP" | "NEWUTS" | "NEWIPC" | "NEWNET")[];
  /** Its root is not that of its mount namespace. */
  readonly ownRoot?: boolean;
  readonly cgroups: CgroupPlan;
  /** The configuration of a container that comes from a bundle: for the listener of its policy. */
  readonly from?: { readonly spec: RuntimeSpec; readonly bundle: Bundle };
  /** As in `LaunchFacts`. */
  readonly sameKeyring?: boolean;
  /** As in `LaunchFacts`. */
  readonly arch?: Arch;
}

/** The plan that runs one more process in a container: a keeper, a clone into its pid namespace, the rest joined. */
export function execPlan(facts: ExecFacts): Plan {
  const { cgroups, process } = facts;
  const because = reasonsFrom(facts.origins);
  const terminal = process.terminal === true;
  const custody =
    "caller" in facts ? leftToCaller(facts.caller, process) : keptBy(facts, terminal, false, false);
  const heard = facts.from === undefined ? unheard(facts.seccomp) : facts.seccomp;
  const join = { why: "enter the container", hint: "it has ended" };
  const kinds = (["NEWCGROUP", "NEWUTS", "NEWIPC", "NEWNET"] as const).filter(
    (kind) => facts.same?.includes(kind) !== true,
  );
  const shared = flags("CLONE", CLONE, "NEWNS", ...kinds);
  const inUserNamespace = facts.ownUsers || (facts.rights ?? "machine") !== "machine";
  // A user has the right to the others as root of its users only.
  const usersFirst = facts.ownUsers && facts.rights === "user";
  const first = flags("CLONE", CLONE, ...(usersFirst ? (["NEWUSER"] as const) : []), "NEWPID");
  const own = flags(
    "CLONE",
    CLONE,
    ...(facts.ownUsers && !usersFirst ? (["NEWUSER"] as const) : []),
    ...(facts.ownTime ? (["NEWTIME"] as const) : []),
  );
  const child: Step[] = [
    ...custody.forget,
    ...openLabel(process, readLabels(), because),
    ...enterCgroups(cgroups, false),
    ...stayOn(process.execCPUAffinity, because),
    ...(custody.dies ? [] : anyProcessor(process.execCPUAffinity)),
    ...oomScore(process.oomScoreAdj, because),
    call(
      "setns",
      [
        from("container"),
        num(shared.value | own.value, `${shared.text}${own.value === 0 ? "" : `|${own.text}`}`),
      ],
      join,
    ),
    close("container", "close it"),
    ...(facts.ownRoot === true ? takeRootOf() : []),
    ...(facts.ownUsers
      ? [call("setresgid", [num(0), num(0), num(0)], join), call("setresuid", [num(0), num(0), num(0)], join)]
      : []),
    ...custody.streams(process, false),
    call("umask", [num(process.user.umask ?? 0o022, "0022")], "make files as others do"),
    ...resourceLimits(process.rlimits ?? [], because),
    ...processAttributes(process, facts.from?.spec.linux ?? {}, because),
    ...standInside(process.cwd, because),
    ...custody.wait,
    ...(custody.dies ? ownSession(terminal) : []),
    ...custody.closing,
    ...writeLabel(process, readLabels(), because),
    ...dropPrivileges(process, heard, facts.arch ?? hostArch(), inUserNamespace, because, custody.dies),
    ...execute(process),
  ];
  const steps: Step[] = [
    ...custody.begin,
    ...spendProgram(),
    ...(facts.sameKeyring === true ? [] : ownKeyring()),
    call(
      "pidfd_open",
      [num(facts.pid), num(0)],
      { why: "find the container", hint: "it has ended" },
      { result: "container" },
    ),
    call("setns", [from("container"), num(first.value, first.text)], join),
    ...(cgroups.unified === undefined
      ? []
      : [
          open(
            cgroups.unified,
            "cgroup",
            {
              why: "let the process be born in the container's cgroup",
              hint: "the container has no such cgroup",
            },
            ["RDONLY"],
          ),
        ]),
    ...(facts.ownRoot === true ? openRootOf(facts.pid) : []),
    ...syncSocket(),
    ...beginOn(process.execCPUAffinity, because),
    {
      kind: "clone",
      flags: 0n,
      flagsText: "0",
      pid: "child",
      child: [close(SYNC_PARENT, "leave that end to the keeper"), ...child],
      why: "make a process in the container's pid namespace",
      // Without a first process there can be no other: the kernel says ENOMEM (pid_namespaces(7)).
      hint: "it has ended",
      ...(cgroups.unified === undefined ? {} : { cgroup: "cgroup" }),
    },
    ...endBegin(process.execCPUAffinity),
    close(SYNC, "leave that end to the process"),
    close("container", "close it"),
    ...custody.parted,
    ...custody.finish(
      facts.from === undefined || facts.seccomp === undefined
        ? []
        : passListener(withPolicy(facts.from.spec, facts.seccomp), facts.from.bundle, because),
      [],
    ),
  ];
  return Object.freeze("caller" in facts ? { steps, failures: FAILURES } : { steps });
}

const withPolicy = (spec: RuntimeSpec, seccomp: Seccomp): RuntimeSpec => ({
  ...spec,
  linux: { ...spec.linux, seccomp },
});

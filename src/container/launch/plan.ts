import type { Hierarchy } from "../../cgroup/layout.ts";
import type { CgroupPlan } from "../../cgroup/plan.ts";
import { type Arch, hostArch } from "../../kernel/arch.ts";
import type { Endpoint } from "../../network/endpoint.ts";
import { keeperWires } from "../../network/wires/launch.ts";
import type { Linux } from "../../oci/runtime/linux.ts";
import type { IdMapping, RuntimeSpec } from "../../oci/runtime/spec.ts";
import { close } from "../../plan/build.ts";
import { type Plan, type Step, SYNC, SYNC_PARENT } from "../../plan/step.ts";
import type { Rootfs } from "../../storage/driver.ts";
import { makeCgroups } from "./cgroup.ts";
import { containerSteps } from "./container.ts";
import { devicesOf, openHostDevices } from "./devices.ts";
import { type Bundle, type HookParts, keeperHooks, openHookOutput, poststartHooks } from "./hooks.ts";
import { openSource, planMount } from "./mounts.ts";
import { joinPidNamespace, namespaces as readNamespaces, timeNamespace, writeIdMaps } from "./namespaces.ts";
import { keeperCapabilities, oomScoreOfChild } from "./privileges.ts";
import { type Because, reasonsFrom } from "./reasons.ts";
import { mountRootForUsers } from "./rootfs.ts";
import { passListener } from "./seccomp.ts";
import { dropKeeperPrivileges, keep, runDirectory, session, stdio, syncSocket } from "./session.ts";
import { takeTerminal } from "./streams.ts";

/** What a launch plan is made from; all paths are of the host. */
export interface LaunchFacts {
  readonly spec: RuntimeSpec;
  /** Part of the configuration → the option behind it. */
  readonly origins: ReadonlyMap<string, string>;
  readonly rootfs: Rootfs;
  readonly cgroups: CgroupPlan;
  /** The cgroup trees of this machine, for the container's view of them. */
  readonly trees: readonly Hierarchy[];
  readonly runDir: string;
  /** The engine's report FIFO. */
  readonly reports: string;
  /** Where the program will be: it removes itself. */
  readonly program: string;
  /** An empty directory to mount the root on. */
  readonly rootPlace: string;
  /** 16 random bytes that name this start. */
  readonly token: Uint8Array;
  readonly stdin: boolean;
  readonly init: boolean;
  /** Where the configuration comes from, for hooks and listeners; absent for the engine's own containers. */
  readonly bundle?: Bundle;
  readonly isDirectory: (path: string) => boolean;
  /** Where a network namespace of its own is wired to; nowhere where it is absent. */
  readonly endpoints?: readonly Endpoint[];
  /** What the plan will be compiled for; this machine's architecture where it is not named. */
  readonly arch?: Arch;
}

/**
 * The plan that makes a container and keeps it: the keeper's steps, the clone with the container's steps
 * inside, and the keeping. Read it from top to bottom; it runs in this order.
 */
export function launchPlan(facts: LaunchFacts): Plan {
  const { cgroups, origins, rootPlace, runDir, spec } = facts;
  const { process } = spec;
  if (process === undefined) throw new Error("Cannot launch: the configuration has no process");
  const because = reasonsFrom(origins);
  const linux = spec.linux ?? {};
  const namespaces = readNamespaces(linux.namespaces ?? []);
  const ownUsers = namespaces.has("user");
  const terminal = process.terminal === true;
  const streams = stdio(runDir, terminal, facts.stdin);
  const mounts = (spec.mounts ?? []).map((mount, index) =>
    planMount(mount, index, facts.isDirectory, because(`mounts[${index}]`, `mount ${mount.destination}`)),
  );
  const binds = mounts.filter(({ options }) => options.bind !== "no");
  const endpoints = namespaces.has("network") ? (facts.endpoints ?? []) : [];
  const wires = keeperWires(endpoints);
  const hooks = hookParts(facts, because);
  const child = containerSteps({
    spec: { ...spec, process },
    ...(hooks === undefined ? {} : { hooks }),
    namespaces,
    mounts,
    rootfs: facts.rootfs,
    rootPlace,
    cgroups,
    trees: facts.trees,
    stdin: facts.stdin,
    init: facts.init,
    isDirectory: facts.isDirectory,
    endpoints,
    arch: facts.arch ?? hostArch(),
    because,
  });
  const steps: Step[] = [
    ...session(facts.program, facts.reports),
    ...runDirectory(runDir),
    ...streams.steps,
    ...(hooks === undefined ? [] : openHookOutput(spec, hooks.bundle)),
    ...makeCgroups(cgroups, because),
    ...joinPidNamespace(namespaces, because),
    ...(namespaces.has("time") ? timeNamespace(linux, because) : []),
    ...(ownUsers ? [...binds.flatMap(openSource), ...openHostDevices(devicesOf(linux.devices ?? []))] : []),
    ...wires.before,
    ...syncSocket(),
    {
      kind: "clone",
      flags: BigInt(namespaces.clone.value),
      flagsText: namespaces.clone.text,
      pid: "child",
      child: [close(SYNC_PARENT, "leave that end to the keeper"), ...child],
      why: "make the container's first process in new namespaces",
      ...(cgroups.unified === undefined ? {} : { cgroup: "cgroup" }),
    },
    close(SYNC, "leave that end to the container"),
    ...streams.childOnly.map((slot) => close(slot, "leave it to the container")),
    ...(ownUsers
      ? [
          ...writeIdMaps(linux, because),
          ...oomScoreOfChild(process.oomScoreAdj, because),
          ...mountRootForUsers(
            facts.rootfs,
            rootPlace,
            rootOf(linux),
            binds.filter(({ options }) => options.idmap),
            because,
          ),
          ...binds.map(({ tree }) => close(tree, "leave it to the container")),
        ]
      : []),
    ...wires.after,
    ...(hooks === undefined ? [] : keeperHooks(hooks)),
    ...(terminal ? takeTerminal() : []),
    ...(hooks === undefined ? [] : passListener(spec, hooks.bundle, because)),
    { kind: "awaitExec", why: "wait until the workload runs" },
    close(SYNC_PARENT, "close it"),
    ...(hooks === undefined ? [] : poststartHooks(hooks)),
    ...dropKeeperPrivileges(keeperCapabilities(endpoints.length > 0)),
    keep(runDir, facts.token, streams.keeper, cgroups.oom !== undefined),
  ];
  return Object.freeze({ steps });
}

/** What hooks are made from; undefined where there is no bundle. */
function hookParts({ bundle, spec }: LaunchFacts, because: Because): HookParts | undefined {
  if (bundle !== undefined) return { spec, bundle, because };
  if (spec.hooks !== undefined) throw new Error("Cannot launch: hooks need to know the bundle");
  return undefined;
}

/** Who the container's root is on the host. */
function rootOf({ uidMappings = [], gidMappings = [] }: Linux): {
  readonly uid: number;
  readonly gid: number;
} {
  const idOf = (mappings: readonly IdMapping[]) => {
    const range = mappings.find(({ containerID }) => containerID === 0);
    if (range === undefined) throw new Error("Cannot launch: no range of the container's users has its root");
    return range.hostID;
  };
  return { uid: idOf(uidMappings), gid: idOf(gidMappings) };
}

import type { Hierarchy } from "../../cgroup/layout.ts";
import type { CgroupPlan } from "../../cgroup/plan.ts";
import { type Arch, hostArch } from "../../kernel/arch.ts";
import { MS } from "../../kernel/flags.ts";
import type { Rights } from "../../kernel/rights.ts";
import type { Endpoint } from "../../network/endpoint.ts";
import { keeperWires } from "../../network/wires/launch.ts";
import type { Linux } from "../../oci/runtime/linux.ts";
import type { RuntimeSpec } from "../../oci/runtime/spec.ts";
import { close } from "../../plan/build.ts";
import { type Plan, type Step, SYNC, SYNC_PARENT } from "../../plan/step.ts";
import type { Rootfs } from "../../storage/driver.ts";
import { labelled, readLabels } from "./attributes.ts";
import { fromInside, inBundle } from "./bundle-mounts.ts";
import { type CallerFacts, FAILURES, leftToCaller } from "./caller.ts";
import { delegateCgroup, makeCgroups } from "./cgroup.ts";
import { containerSteps } from "./container.ts";
import { type KeeperFacts, keptBy } from "./custody.ts";
import { type Bundle, type HookParts, keeperHooks, openHookOutput, poststartHooks } from "./hooks.ts";
import { ownKeyring } from "./keyring.ts";
import { basePropagation } from "./mount-options.ts";
import { type PlannedMount, planMount } from "./mounts.ts";
import {
  enterNamespaces,
  hostId,
  joinPidNamespace,
  type Namespaces,
  ownTimeNamespace,
  namespaces as readNamespaces,
  timeNamespace,
} from "./namespaces.ts";
import { moveNetDevices, type NetDevice } from "./net-devices.ts";
import { readonlyLast } from "./readonly.ts";
import { type Because, reasonsFrom } from "./reasons.ts";
import { passListener } from "./seccomp.ts";
import { syncSocket } from "./session.ts";
import { spendProgram } from "./spend.ts";
import { afterClone, beforeClone, inUserNamespace, openInChild, type UserParts } from "./users.ts";

/** What a launch plan is made from; all paths are of the host. */
export type LaunchFacts = ContainerFacts & (KeeperFacts | { readonly caller: CallerFacts });

interface ContainerFacts {
  readonly spec: RuntimeSpec;
  /** Part of the configuration → the option behind it. */
  readonly origins: ReadonlyMap<string, string>;
  readonly rootfs: Rootfs;
  readonly cgroups: CgroupPlan;
  /** The cgroup trees of this machine, for the container's view of them. */
  readonly trees: readonly Hierarchy[];
  /** An empty directory to mount the root on. */
  readonly rootPlace: string;
  readonly init: boolean;
  /** Where the configuration comes from, for hooks and listeners; absent for the engine's own containers. */
  readonly bundle?: Bundle;
  readonly isDirectory: (path: string) => boolean;
  /** Where a network namespace of its own is wired to; nowhere where it is absent. */
  readonly endpoints?: readonly Endpoint[];
  /** Interfaces of the machine that the container gets. */
  readonly netDevices?: readonly NetDevice[];
  /** Whose rights the program has; those of the machine's root where it is not said. */
  readonly rights?: Rights;
  /** Leave it the session keyring of whoever called. */
  readonly sameKeyring?: boolean;
  /** What the plan will be compiled for; this machine's architecture where it is not named. */
  readonly arch?: Arch;
}

/**
 * The plan that makes a container and keeps it, or leaves it to the caller: the program's own steps, the clone with
 * the container's steps inside, and the rest. Read it from top to bottom; it runs in this order.
 */
export function launchPlan(facts: LaunchFacts): Plan {
  const { cgroups, origins, rootPlace, spec } = facts;
  const { process } = spec;
  if (process === undefined) throw new Error("Cannot launch: the configuration has no process");
  const because = reasonsFrom(origins);
  const linux = spec.linux ?? {};
  const namespaces = readNamespaces(linux.namespaces ?? []);
  const { bundle } = facts;
  const base = bundle === undefined ? undefined : basePropagation(linux.rootfsPropagation);
  const listed =
    bundle === undefined
      ? (spec.mounts ?? [])
      : (spec.mounts ?? []).map((mount, index) =>
          labelled(inBundle(mount, index, bundle), linux, readLabels()),
        );
  const planned = listed.map((mount, index) =>
    planMount(
      mount,
      index,
      facts.isDirectory,
      because(`mounts[${index}]`, `mount ${mount.destination}`),
      base,
    ),
  );
  const mounts =
    bundle === undefined ? planned : planned.map((each) => fromInside(readonlyLast(each), bundle));
  const binds = mounts.filter(({ inside, options }) => options.bind !== "no" && inside === undefined);
  const endpoints = namespaces.has("network") ? (facts.endpoints ?? []) : [];
  const wires = keeperWires(endpoints);
  const devices = moveNetDevices(facts.netDevices ?? [], because);
  const custody =
    "caller" in facts
      ? leftToCaller(facts.caller, process)
      : keptBy(facts, process.terminal === true, cgroups.oom !== undefined, endpoints.length > 0);
  const hooks = hookParts(facts, because);
  const users: UserParts = {
    namespaces,
    linux,
    binds,
    rootfs: facts.rootfs,
    rootPlace,
    bundle: facts.bundle,
    oomScoreAdj: process.oomScoreAdj,
    rights: facts.rights ?? "machine",
    because,
  };
  // The engine's own containers join what belongs to the machine's root: their keeper can do that itself.
  const via = hooks === undefined ? [] : enterNamespaces(namespaces, linux, because, users.rights);
  // With a bundle, or users of its own, the child hears of other things first.
  const cgroupSteps = makeCgroups(cgroups, because, hooks === undefined && namespaces.users === "machine");
  const child = containerSteps({
    spec: { ...spec, process },
    ...(hooks === undefined ? {} : { hooks }),
    namespaces,
    mounts,
    rootfs: facts.rootfs,
    rootPlace,
    cgroups,
    cgroupSteps,
    trees: facts.trees,
    custody,
    init: facts.init,
    isDirectory: facts.isDirectory,
    endpoints,
    devices,
    openings: openInChild(users),
    clocks: ownTimeNamespace(namespaces, linux, because, users.rights),
    inUserNamespace: inUserNamespace(users),
    arch: facts.arch ?? hostArch(),
    because,
  });
  const steps: Step[] = [
    ...custody.begin,
    ...spendProgram(),
    ...(facts.sameKeyring === true ? [] : ownKeyring()),
    ...(hooks === undefined ? [] : openHookOutput(spec, hooks.bundle)),
    ...cgroupSteps.before,
    ...(ownsCgroup(mounts, namespaces) ? delegateCgroup(cgroups, ownerOf(process.user.uid, linux)) : []),
    ...(hooks === undefined ? joinPidNamespace(namespaces, because) : []),
    ...(hooks === undefined && namespaces.has("time") ? timeNamespace(linux, because) : []),
    ...beforeClone(users),
    ...wires.before,
    ...devices.before,
    ...syncSocket(),
    {
      kind: "clone",
      flags: BigInt(namespaces.clone.value),
      flagsText: namespaces.clone.text,
      pid: "child",
      child: [close(SYNC_PARENT, "leave that end to the keeper"), ...child],
      why: "make the container's first process in new namespaces",
      ...(cgroups.unified === undefined ? {} : { cgroup: "cgroup" }),
      ...(via.length === 0 ? {} : { via }),
      ...(cgroupSteps.undo.length === 0 ? {} : { undo: cgroupSteps.undo }),
    },
    close(SYNC, "leave that end to the container"),
    // The child waits for these.
    ...cgroupSteps.beside,
    ...custody.parted,
    ...afterClone(users),
    ...wires.after,
    ...devices.after,
    ...(hooks === undefined ? [] : keeperHooks(hooks)),
    ...custody.finish(
      hooks === undefined ? [] : passListener(spec, hooks.bundle, because),
      hooks === undefined ? [] : poststartHooks(hooks),
    ),
  ];
  return Object.freeze("caller" in facts ? { steps, failures: FAILURES } : { steps });
}

/** Whether it sees its cgroup as the root of all, and may write there. */
const ownsCgroup = (mounts: readonly PlannedMount[], { has }: Namespaces): boolean =>
  has("cgroup") &&
  mounts.some(
    ({ mount: { destination, type }, options }) =>
      type === "cgroup" && destination === "/sys/fs/cgroup" && (options.flags & MS.RDONLY) === 0,
  );

/** Who a user of the container is on the host. */
function ownerOf(uid: number, { namespaces = [], uidMappings = [] }: Linux): number | undefined {
  const users = namespaces.find(({ type }) => type === "user");
  if (users === undefined) return uid;
  return users.path === undefined ? hostId(uidMappings, uid) : undefined;
}

/** What hooks are made from; undefined where there is no bundle. */
function hookParts({ bundle, spec }: LaunchFacts, because: Because): HookParts | undefined {
  if (bundle !== undefined) return { spec, bundle, because };
  if (spec.hooks !== undefined) throw new Error("Cannot launch: hooks need to know the bundle");
  return undefined;
}

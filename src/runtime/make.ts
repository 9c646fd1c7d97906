import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import { directoryIn } from "../cgroup/layout.ts";
import { usedTrees } from "../cgroup/limits.ts";
import { refuseImpossible } from "../container/launch/machine.ts";
import { readNetDevices } from "../container/launch/net-devices.ts";
import { launchPlan } from "../container/launch/plan.ts";
import { ownRights } from "../kernel/rights.ts";
import { type Arguments, type Flags, numberOf } from "./arguments.ts";
import { openBundle } from "./bundle.ts";
import { clearCgroups, placeOf, prepareCgroups } from "./cgroups.ts";
import type { Context } from "./context.ts";
import {
  callersOpenFiles,
  callersTerminal,
  checkConsole,
  ownedStreams,
  preservedDescriptors,
} from "./descriptors.ts";
import { RuntimeError } from "./failure.ts";
import { withHome } from "./home.ts";
import { HOOK_OUTPUT } from "./output.ts";
import { type Launch, lateSteps, prepare } from "./program.ts";
import { leaveQuick } from "./quick.ts";
import { refuseWithoutRights } from "./rootless.ts";
import { claim, removeDirectory, writeDocument } from "./store.ts";

/** The flags of `create` and `run`. */
export const MAKE_FLAGS: Flags = {
  bundle: { short: "b", value: true },
  "console-socket": { value: true },
  "pid-file": { value: true },
  "no-pivot": {},
  "no-new-keyring": {},
  "preserve-fds": { value: true },
};

/** What becomes of the process that is made. */
export interface Manner {
  /** Stop before the workload until `start`. */
  readonly waits: boolean;
  /** Stay until it has ended. */
  readonly stays: boolean;
}

/**
 * Make container `id` from its bundle: claim its directory, write its document, and let `run` run the launch
 * program. Nothing is left of it when that fails.
 */
export async function makeContainer<T>(
  context: Context,
  id: string,
  given: Arguments,
  manner: Manner,
  run: (launch: Launch, directory: string) => Promise<T> | T,
): Promise<T> {
  if (given.has("no-pivot"))
    throw new RuntimeError(
      "Cannot do without pivot_root: --no-pivot lets a container break out of its root; unpack the bundle elsewhere than in an initial ramdisk",
    );
  const bundle = openBundle(given.get("bundle") ?? ".");
  const preserved = preservedDescriptors(numberOf(given, "preserve-fds"));
  const { linux = {}, ociVersion } = bundle.spec;
  const homely = withHome(bundle.spec.process, bundle.rootfs);
  const process = { ...homely, env: [...(homely.env ?? []), ...preserved.env] };
  const consoleSocket = given.get("console-socket");
  checkConsole(process, consoleSocket, !manner.stays);
  const rights = ownRights();
  refuseWithoutRights(bundle.spec, rights);
  for (const warning of [...bundle.warnings, ...refuseImpossible(bundle.spec)]) context.log.warn(warning);
  const place = await placeOf(context, linux.cgroupsPath, id);
  const { cgroup } = place;
  const directory = claim(context.root, id);
  try {
    const {
      holder,
      layout,
      none,
      plan: cgroups,
      unit,
      warnings,
    } = await prepareCgroups(place, bundle.spec, id);
    for (const warning of warnings) context.log.warn(warning);
    const netDevices = await readNetDevices(linux);
    const pidFile = given.get("pid-file");
    const plan = launchPlan({
      spec: { ...bundle.spec, process },
      origins: new Map(),
      rootfs: { kind: "directory", path: bundle.rootfs },
      cgroups,
      trees: usedTrees(layout),
      bundle: { id, path: bundle.path, root: bundle.rootfs, hookOutput: join(directory, HOOK_OUTPUT) },
      rootPlace: directory,
      init: false,
      rights,
      sameKeyring: given.has("no-new-keyring"),
      netDevices,
      isDirectory: (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? true,
      caller: {
        directory,
        ...manner,
        preserve: preserved.count,
        owned: ownedStreams(process),
        ...callersOpenFiles(),
        ...callersTerminal(process, consoleSocket),
        ...(consoleSocket === undefined ? {} : { consoleSocket: resolve(consoleSocket) }),
        ...(pidFile === undefined ? {} : { pidFile: resolve(pidFile) }),
        ...(holder === undefined ? {} : { holder }),
      },
    });
    const launch = prepare(plan, process, directory, preserved.count);
    const { elf, steps } = launch.program;
    context.log.debug(
      `container ${id} in cgroup ${cgroup}: a program of ${steps.length} steps, ${elf.length} bytes`,
    );
    // Its own or those of another container that it joins: an exec has to enter them.
    const { memoryPolicy, personality, seccomp } = linux;
    const { annotations, hooks } = bundle.spec;
    const own = (wanted: string) =>
      linux.namespaces?.some(({ path, type }) => type === wanted && path === undefined) === true;
    const ownPids = own("pid");
    if (none === true && !ownPids)
      context.log.warn(
        "the container has neither a cgroup nor a pid namespace of its own: what its first process leaves behind cannot be found. Such configuration is strongly discouraged",
      );
    writeDocument(directory, {
      ociVersion,
      id,
      bundle: bundle.path,
      rootfs: bundle.rootfs,
      created: new Date().toISOString().replace("Z", "000000Z"),
      owner: globalThis.process.getuid?.() ?? 0,
      ...(annotations === undefined ? {} : { annotations }),
      cgroup,
      ...(unit === undefined ? {} : { unit }),
      ...(given.has("no-new-keyring") ? { sameKeyring: true as const } : {}),
      ...(none === true ? { noCgroup: none } : {}),
      ...(own("mount") ? {} : { sharesMounts: true as const }),
      ...(ownPids ? {} : { sharesPids: true as const }),
      // An exec as another user has another HOME.
      process: bundle.spec.process,
      ...(seccomp === undefined ? {} : { seccomp }),
      ...(memoryPolicy === undefined ? {} : { memoryPolicy }),
      ...(personality === undefined ? {} : { personality }),
      ...(hooks === undefined ? {} : { hooks }),
      late: manner.waits ? lateSteps(launch) : {},
    });
    if (!manner.stays && unit === undefined && none === undefined && ownPids && hooks === undefined)
      leaveQuick(
        directory,
        layout.hierarchies.map((tree) => directoryIn(tree, cgroup)),
      );
    try {
      return await run(launch, directory);
    } catch (error) {
      // The launch program has undone what it made; this is for one that was killed.
      await clearCgroups(layout, { cgroup, unit }).catch(() => undefined);
      throw error;
    }
  } catch (error) {
    removeDirectory(directory);
    throw error;
  }
}

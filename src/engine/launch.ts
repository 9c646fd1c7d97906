import { existsSync, mkdirSync } from "node:fs";
import { check } from "../cgroup/check.ts";
import { update } from "../cgroup/update.ts";
import type { ExecRequest, LaunchRequest, Running } from "../container/launcher.ts";
import type { ContainerRecord } from "../container/record.ts";
import type { SpecFacts } from "../container/spec/facts.ts";
import type { MountPoint } from "../container/spec/mountpoint.ts";
import { mountPoints } from "../container/spec/mountpoints.ts";
import { origins } from "../container/spec/origins.ts";
import { processOf } from "../container/spec/process.ts";
import { resourcesOf } from "../container/spec/resources.ts";
import { parseSecurityOptions, seccompOf } from "../container/spec/security.ts";
import { runtimeSpec } from "../container/spec/spec.ts";
import type { Resources } from "../oci/runtime/resources.ts";
import type { ContainerConfig, HostConfig } from "../wire/container.ts";
import type { Container } from "./container.ts";
import { cgroupOf } from "./containers/freeze.ts";
import { joinedFacts } from "./containers/joined.ts";
import { checkPropagation, follows } from "./containers/propagation.ts";
import type { Context } from "./context.ts";
import type { Exec } from "./execs/exec.ts";
import { factsOf, inheritedBy } from "./facts.ts";
import { linkedEnvironment } from "./networks/linked.ts";
import { wiresFor } from "./networks/plug.ts";
import type { Place } from "./networks/wires.ts";
import { invalid } from "./refuse.ts";

/** Where a start keeps its FIFOs, pids and exit record. */
export const runDirOf = (context: Context, id: string): string => `${context.run}/containers/${id}`;
/** The same of an exec. */
export const execRunDirOf = (context: Context, id: string): string => `${context.run}/execs/${id}`;

/** Everything that the launcher needs to start a container as it is recorded. @param places where it is by now */
export function launchRequest(
  context: Context,
  { record }: Container,
  places: readonly Place[],
  trace: boolean,
  /** Parts of volumes, by target. */
  subpaths: ReadonlyMap<string, string> = new Map(),
): LaunchRequest {
  const { host } = record;
  const links = linkedEnvironment(context, record);
  const config =
    links.length > 0 ? { ...record.config, Env: [...links, ...(record.config.Env ?? [])] } : record.config;
  const bound = boundAs(record, makeSources(context, record));
  const known = factsOf(context, record);
  const volumes = new Map([...known.volumes, ...subpaths]);
  const facts = { ...known, volumes, bound, ...joinedFacts(context, host) };
  const { spec, origins: causes } = runtimeSpec(config, host, facts);
  const { resources, errors } = check(context.cgroups, spec.linux?.resources ?? {});
  if (errors[0] !== undefined) throw invalid(errors[0]);
  return {
    id: record.id,
    runDir: runDirOf(context, record.id),
    spec: { ...spec, linux: { ...spec.linux, resources } },
    origins: causes,
    rootfs: context.images.driver.rootfs(record.id),
    stdin: config.OpenStdin ?? false,
    trace,
    init: host.Init ?? false,
    ownMounts: hasOwnMounts(context, record),
    endpoints: wiresFor(context, places),
  };
}

/** Whether all that is mounted in it is its own or a directory of the engine's: nothing that anybody would unmount. */
const hasOwnMounts = ({ volumes }: Context, { mounts }: ContainerRecord): boolean =>
  mounts.every(
    ({ Name, Type }) =>
      Type === "tmpfs" || (Type === "volume" && Name !== undefined && volumes.mount(Name) === undefined),
  );

/** `-v` makes a directory where its source is not there. */
function makeSources(context: Context, record: ContainerRecord): readonly MountPoint[] {
  const { config, host } = record;
  if (!host.Binds?.length && !host.Mounts?.length && !host.VolumesFrom?.length) return [];
  const points = mountPoints(config, host, inheritedBy(context, record));
  for (const point of points) {
    if (point.type === "bind" && point.create && !existsSync(point.source)) {
      mkdirSync(point.source, { recursive: true });
    }
  }
  checkPropagation(points);
  return points.filter(({ type }) => type === "bind");
}

/** What binds are that do not say it themselves, by target. */
const boundAs = (
  { mounts, flatReadonly }: ContainerRecord,
  binds: readonly MountPoint[],
): NonNullable<SpecFacts["bound"]> =>
  new Map(
    binds.map((bind) => {
      const told = mounts.find(({ Destination }) => Destination === bind.target)?.Propagation;
      return [
        bind.target,
        {
          ...(follows(bind, told) ? { propagation: "rslave" } : {}),
          ...(flatReadonly && bind.below === "try" ? { below: "never" } : {}),
        },
      ];
    }),
  );

/** The same for a further process: what it does not say is as for the container's own. */
export function execRequest(
  context: Context,
  exec: Exec,
  container: Running,
  size: { readonly rows: number; readonly columns: number } | null,
): ExecRequest {
  const { config: asked } = exec;
  const { record } = exec.container;
  const causes = origins();
  const user = asked.User || record.config.User || "";
  const facts = factsOf(context, record, user);
  const config: ContainerConfig = {
    User: user,
    Tty: asked.Tty ?? false,
    WorkingDir: asked.WorkingDir || record.config.WorkingDir || "",
    Env: [...linkedEnvironment(context, record, true), ...(record.config.Env ?? []), ...(asked.Env ?? [])],
    Cmd: asked.Cmd ?? [],
  };
  const host: HostConfig = {
    ...record.host,
    Privileged: asked.Privileged || record.host.Privileged || false,
    ConsoleSize: size ? [size.rows, size.columns] : (asked.ConsoleSize ?? []),
  };
  const process = processOf(config, host, facts, causes);
  const security = parseSecurityOptions(host.SecurityOpt);
  if (typeof security === "string") throw invalid(security);
  const seccomp = seccompOf(host, security.seccomp, process.capabilities?.bounding ?? [], facts);
  return {
    id: exec.id,
    runDir: execRunDirOf(context, exec.id),
    container,
    process,
    ...(seccomp ? { seccomp } : {}),
    stdin: asked.AttachStdin ?? false,
    origins: causes.all,
  };
}

const LIMITS = [
  "Memory",
  "MemoryReservation",
  "MemorySwap",
  "NanoCpus",
  "CpuShares",
  "CpuQuota",
  "CpuPeriod",
  "CpusetCpus",
  "CpusetMems",
  "PidsLimit",
  "BlkioWeight",
  "BlkioWeightDevice",
  "BlkioDeviceReadBps",
  "BlkioDeviceWriteBps",
  "BlkioDeviceReadIOps",
  "BlkioDeviceWriteIOps",
  "MemorySwappiness",
] as const satisfies readonly (keyof HostConfig)[];

/** Whether anything is limited that the kernel might not have. */
export const hasLimits = (host: HostConfig): boolean =>
  LIMITS.some((name) => {
    const value = host[name];
    return Array.isArray(value) ? value.length > 0 : Boolean(value);
  });

/** What this kernel makes of the limits that are asked for. @returns warnings */
export function checkLimits(context: Context, record: ContainerRecord): readonly string[] {
  const { errors, warnings } = check(context.cgroups, limitsOf(context, record, record.host));
  if (errors[0] !== undefined) throw invalid(errors[0]);
  return warnings;
}

/** New limits of a running container. @param host what is to be from now on */
export function updateLimits(context: Context, container: Container, host: HostConfig): void {
  const limits = limitsOf(context, container.record, host);
  // No limit is nothing to write at a start, but a limit that there was must go.
  const lifted = (host.PidsLimit ?? 1) <= 0 ? { ...limits, pids: { limit: -1 } } : limits;
  const { resources, errors } = check(context.cgroups, lifted);
  if (errors[0] !== undefined) throw invalid(errors[0]);
  update(context.cgroups, cgroupOf(context, container), resources);
}

const limitsOf = (context: Context, record: ContainerRecord, host: HostConfig): Resources =>
  resourcesOf(host, factsOf(context, record), origins());

import { posix } from "node:path";
import { Refusal } from "../../oci/error.ts";
import type { Linux } from "../../oci/runtime/linux.ts";
import type { RuntimeSpec } from "../../oci/runtime/spec.ts";
import type { ContainerConfig, HostConfig } from "../../wire/container.ts";
import { devicesOf } from "./devices.ts";
import type { SpecFacts } from "./facts.ts";
import { mountsOf } from "./mounts.ts";
import { namespacesOf } from "./namespaces.ts";
import { type Origins, origins, typedWord } from "./origins.ts";
import { protectedPaths } from "./paths.ts";
import { processOf } from "./process.ts";
import { resourcesOf } from "./resources.ts";
import { parseSecurityOptions, seccompOf } from "./security.ts";
import { ownUts, sysctlsOf } from "./sysctls.ts";
import { timeOffsetsOf } from "./time.ts";
import { parseUserns } from "./userns.ts";

export interface SpecWithOrigins {
  readonly spec: RuntimeSpec;
  /** Path in the configuration (`linux.resources.memory.limit`, `mounts[7]`) → the option as typed. */
  readonly origins: ReadonlyMap<string, string>;
}

/**
 * The OCI runtime configuration of a container, and which option caused which part of it. Pure: what must be read
 * comes in `facts`. `config` is merged with the image's (`mergeImageConfig`) and both parts are validated
 * (`validateContainer`).
 * @throws Refusal for what only shows now: a device or seccomp profile that is not there
 */
export function runtimeSpec(config: ContainerConfig, host: HostConfig, facts: SpecFacts): SpecWithOrigins {
  const from = origins();
  const process = processOf(config, host, facts, from);
  const { mounts, propagation } = mountsOf(config, host, facts, from);
  const readonly = host.ReadonlyRootfs ?? false;
  if (readonly) from.add("root.readonly", "--read-only");
  const hostname = ownUts(host) ? facts.hostname : "";
  if (config.Hostname && hostname !== "" && hostname !== facts.id.slice(0, 12)) {
    from.add("hostname", `--hostname ${typedWord(hostname)}`);
  }
  const annotations = Object.entries(host.Annotations ?? {});
  const spec: RuntimeSpec = {
    ociVersion: "1.2.0",
    process,
    root: { path: facts.rootfs, ...(readonly ? { readonly } : {}) },
    ...(hostname === "" ? {} : { hostname }),
    mounts,
    ...(annotations.length === 0 ? {} : { annotations: Object.fromEntries(annotations) }),
    linux: linuxOf(config, host, facts, from, process.capabilities?.bounding ?? [], propagation),
  };
  return { spec, origins: from.all };
}

function linuxOf(
  config: ContainerConfig,
  host: HostConfig,
  facts: SpecFacts,
  from: Origins,
  capabilities: readonly string[],
  rootfsPropagation: Linux["rootfsPropagation"],
): Linux {
  const security = parseSecurityOptions(host.SecurityOpt);
  if (typeof security === "string") throw new Refusal("invalid", security);
  const seccomp = seccompOf(host, security.seccomp, capabilities, facts);
  const { devices, rules } = devicesOf(host, facts, from);
  const sysctl = sysctlsOf(config, host, from);
  const maps = parseUserns(host.UsernsMode);
  if (typeof maps === "string") throw new Refusal("invalid", maps);
  if (maps) {
    for (const part of ["uidMappings", "gidMappings"])
      from.add(`linux.${part}`, `--userns ${host.UsernsMode}`);
  }
  const timeOffsets = timeOffsetsOf(host);
  const parent = host.CgroupParent || facts.cgroupParent;
  if (host.CgroupParent) from.add("linux.cgroupsPath", `--cgroup-parent ${typedWord(host.CgroupParent)}`);
  if (security.seccomp !== "default") from.add("linux.seccomp", seccompOption(host));
  return {
    ...(Object.keys(sysctl).length === 0 ? {} : { sysctl }),
    resources: { devices: rules, ...resourcesOf(host, facts, from) },
    cgroupsPath: posix.join("/", parent, facts.id),
    namespaces: namespacesOf(host, facts, from),
    ...(maps ? { uidMappings: maps.uids, gidMappings: maps.gids } : {}),
    ...(timeOffsets ? { timeOffsets } : {}),
    ...(devices.length === 0 ? {} : { devices }),
    ...(seccomp ? { seccomp } : {}),
    ...(rootfsPropagation ? { rootfsPropagation } : {}),
    ...protectedPaths(host, facts),
  };
}

/** The profile itself is too long to be shown. */
function seccompOption(host: HostConfig): string {
  const unconfined = (host.SecurityOpt ?? []).some((word) => /^seccomp[=:]unconfined$/.test(word));
  return `--security-opt seccomp=${unconfined ? "unconfined" : "PROFILE"}`;
}

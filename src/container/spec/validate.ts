import { compile } from "../../kernel/seccomp/compile.ts";
import type { ContainerConfig, HostConfig } from "../../wire/container.ts";
import { wrongCapability } from "./capabilities.ts";
import { parseRule } from "./devices.ts";
import type { SpecFacts } from "./facts.ts";
import { parseMountPoints } from "./mountpoints.ts";
import { parseSecurityOptions, seccompOf } from "./security.ts";
import { wrongShape } from "./shape.ts";
import { wrongSysctl } from "./sysctls.ts";
import { wrongTimeOffset } from "./time.ts";
import { wrongConfig } from "./validate-config.ts";
import { wrongModes } from "./validate-modes.ts";
import { type Machine, resourceWarnings, wrongResources, wrongUlimit } from "./validate-resources.ts";

export interface Verdict {
  /** Docker's sentence for what cannot be (status 400); undefined for a configuration that can. */
  readonly error?: string;
  /** What will have no effect. */
  readonly warnings: readonly string[];
}

/** What validation knows of the machine. */
export type ValidationFacts = Machine &
  Pick<SpecFacts, "arch" | "kernel" | "capabilities"> & {
    /** Whether the kernel has AppArmor. */
    readonly apparmor?: boolean;
  };

/**
 * Whether a container can be made of this configuration: contradictions and impossible values, in Docker's words.
 * Any JSON may be given: its shape is checked first. `config` is as it was asked for, before defaults are filled in
 * (a host name invented by the engine contradicts `--uts host`); what depends on other objects (images, networks, containers) is the
 * engine's to check. Docker finds some of these only at the start, here they are refused at once.
 */
export function validateContainer(
  config: ContainerConfig,
  host: HostConfig,
  facts: ValidationFacts,
): Verdict {
  const shape = wrongShape(config, host);
  if (shape !== undefined) return { error: printable(shape), warnings: [] };
  const error =
    wrongConfig(config) ??
    wrongModes(config, host) ??
    wrongResources(host, facts) ??
    wrongUlimit(host) ??
    wrongPrivileges(host, facts) ??
    wrongDevices(host) ??
    wrongSysctl(host) ??
    wrongTimeOffset(host) ??
    wrongMounts(config, host);
  return { ...(error === undefined ? {} : { error: printable(error) }), warnings: resourceWarnings(host) };
}

/** What was sent is quoted in sentences that end on terminals: control characters are not sent there. */
function printable(sentence: string): string {
  return sentence.replace(
    /\p{Cc}/gu,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

function wrongPrivileges(host: HostConfig, facts: ValidationFacts): string | undefined {
  const capability =
    wrongCapability("CapAdd", host.CapAdd, facts.capabilities) ??
    wrongCapability("CapDrop", host.CapDrop, facts.capabilities);
  if (capability !== undefined) return capability;
  const security = parseSecurityOptions(host.SecurityOpt);
  if (typeof security === "string") return security;
  const { apparmor = "" } = security;
  if (apparmor !== "" && apparmor !== "unconfined" && facts.apparmor !== true)
    return `invalid --security-opt ${JSON.stringify(`apparmor=${apparmor.slice(0, 80)}`)}: this machine has no AppArmor; use apparmor=unconfined or leave it out`;
  if (typeof security.seccomp !== "object") return undefined;
  try {
    const policy = seccompOf(host, security.seccomp, facts.capabilities, facts);
    if (policy) compile(policy, facts.arch);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function wrongDevices(host: HostConfig): string | undefined {
  for (const {
    PathOnHost: onHost = "",
    PathInContainer: inside,
    CgroupPermissions: access,
  } of host.Devices ?? []) {
    const shown = JSON.stringify(onHost.slice(0, 200));
    if (`${onHost}${inside}`.includes("\0")) return `invalid device ${shown}: its path holds a NUL byte`;
    if (!onHost.startsWith("/")) return `invalid device ${shown}: its path must be absolute`;
    if (inside && !inside.startsWith("/"))
      return `invalid device ${shown}: its path in the container must be absolute`;
    if (access && !/^[rwm]{1,3}$/.test(access))
      return `invalid device mode ${JSON.stringify(access)}: letters of "rwm"`;
  }
  const rule = host.DeviceCgroupRules?.find((word) => parseRule(word) === undefined);
  if (rule !== undefined) return `invalid device cgroup rule format: '${rule.slice(0, 80)}'`;
  const [request] = host.DeviceRequests ?? [];
  if (request === undefined) return undefined;
  const capabilities = JSON.stringify(request.Capabilities ?? []).replaceAll(/[",]/g, (sign) =>
    sign === "," ? " " : "",
  );
  return `could not select device driver ${JSON.stringify(request.Driver ?? "")} with capabilities: ${capabilities}`;
}

function wrongMounts(config: ContainerConfig, host: HostConfig): string | undefined {
  const points = parseMountPoints(config, host);
  return typeof points === "string" ? points : undefined;
}

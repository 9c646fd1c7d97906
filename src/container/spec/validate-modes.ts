import { isIP } from "node:net";
import type { ContainerConfig, HostConfig } from "../../wire/container.ts";
import { containerOf } from "./mode.ts";
import { parseUserns } from "./userns.ts";

/** Docker's words, also for a link to a container that is on the host's network. */
export const HOST_AND_LINKS =
  "conflicting options: host type networking can't be used with links. This would result in undefined behavior";

/** What is wrong with the namespaces, or contradicts them, in Docker's words. */
export function wrongModes(config: ContainerConfig, host: HostConfig): string | undefined {
  return wrongMode(host) ?? wrongNetwork(config, host) ?? wrongUsers(host) ?? wrongRest(host);
}

function wrongMode(host: HostConfig): string | undefined {
  const { IpcMode = "", PidMode = "", UTSMode = "", CgroupnsMode = "" } = host;
  const joins = (mode: string) => (containerOf(mode) ?? "") !== "";
  if (!["", "none", "private", "shareable", "host"].includes(IpcMode) && !joins(IpcMode)) {
    return `invalid IPC mode: ${IpcMode.slice(0, 80)}`;
  }
  if (!["", "private", "host"].includes(PidMode) && !joins(PidMode))
    return `invalid PID mode: ${PidMode.slice(0, 80)}`;
  if (!["", "private", "host"].includes(UTSMode) && !joins(UTSMode))
    return `invalid UTS mode: ${UTSMode.slice(0, 80)}`;
  if (!["", "private", "host"].includes(CgroupnsMode)) {
    return `invalid cgroup namespace mode: ${CgroupnsMode.slice(0, 80)}`;
  }
  if (containerOf(host.NetworkMode) === "" || host.NetworkMode === "container") {
    return "invalid network mode: invalid container format container:<name|id>";
  }
  const userns = parseUserns(host.UsernsMode);
  return typeof userns === "string" ? userns : undefined;
}

function wrongNetwork(config: ContainerConfig, host: HostConfig): string | undefined {
  const { NetworkMode: network = "", UTSMode: uts } = host;
  const some = (value: object | null | undefined) => Object.keys(value ?? {}).length > 0;
  if (uts === "host" && config.Hostname) return "conflicting options: hostname and the UTS mode";
  if (containerOf(uts) !== undefined && config.Hostname)
    return "conflicting options: hostname and the UTS mode";
  const address = wrongAddress(host);
  if (address !== undefined) return address;
  if (containerOf(network) === undefined) {
    return network === "host" && some(host.Links) ? HOST_AND_LINKS : undefined;
  }
  if (config.Hostname) return "conflicting options: hostname and the network mode";
  if (some(host.Links)) {
    return "conflicting options: container type network can't be used with links. This would result in undefined behavior";
  }
  if (some(host.Dns)) return "conflicting options: dns and the network mode";
  if (some(host.ExtraHosts)) return "conflicting options: custom host-to-IP mapping and the network mode";
  if (some(host.PortBindings) || host.PublishAllPorts) {
    return "conflicting options: port publishing and the container type network mode";
  }
  return some(config.ExposedPorts)
    ? "conflicting options: port exposing and the container type network mode"
    : undefined;
}

function wrongAddress(host: HostConfig): string | undefined {
  for (const word of host.ExtraHosts ?? []) {
    const separator = word.search(/[:=]/);
    const address = word.slice(separator + 1).replace(/^\[(.*)\]$/, "$1");
    if (separator < 1 || address === "")
      return `bad format for add-host: ${JSON.stringify(word.slice(0, 80))}`;
    if (address !== "host-gateway" && isIP(address) === 0) {
      return `invalid IP address in add-host: ${JSON.stringify(address.slice(0, 80))}`;
    }
  }
  const server = host.Dns?.find((address) => isIP(address) === 0);
  return server === undefined
    ? undefined
    : `bad nameserver address ${server.slice(0, 80)}: it is no IP address`;
}

/** A namespace belongs to the users it was made with: root of other users has no power over the host's. */
function wrongUsers(host: HostConfig): string | undefined {
  if (typeof parseUserns(host.UsernsMode) !== "object") return undefined;
  if (host.Privileged) {
    return "privileged mode is incompatible with user namespaces.  You must run the container in the host namespace when running privileged mode";
  }
  if (host.NetworkMode === "host")
    return "cannot share the host's network namespace when user namespaces are enabled";
  if (host.PidMode === "host") return "cannot share the host PID namespace when user namespaces are enabled";
  const joined = [host.NetworkMode, host.PidMode, host.IpcMode].some(
    (mode) => containerOf(mode) !== undefined,
  );
  return joined ? "cannot share another container's namespaces when user namespaces are enabled" : undefined;
}

function wrongRest(host: HostConfig): string | undefined {
  const { Isolation: isolation = "", CgroupParent: parent = "" } = host;
  if (!["", "default"].includes(isolation.toLowerCase())) {
    return `invalid isolation (${isolation.slice(0, 40)}): linux only supports 'default'`;
  }
  if (!["", "cais", "runc", "io.containerd.runc.v2"].includes(host.Runtime ?? "")) {
    return `unknown or invalid runtime name: ${host.Runtime?.slice(0, 40)}`;
  }
  if (host.Cgroup) {
    return `invalid option: Cgroup (${host.Cgroup.slice(0, 80)}) means nothing here: use CgroupParent or CgroupnsMode`;
  }
  const [storage] = Object.keys(host.StorageOpt ?? {});
  if (storage !== undefined)
    return `invalid storage option ${storage.slice(0, 40)}: cais limits no layer's size`;
  if (Object.keys(host.Annotations ?? {}).includes("")) {
    return "invalid Annotations: the empty string is not permitted as an annotation key";
  }
  if (parent.split("/").includes(".."))
    return `invalid cgroup parent ${JSON.stringify(parent)}: it holds ".."`;
  if (/^[^/:]*:[^/:]*:[^/:]*$/.test(parent)) {
    return `invalid cgroup parent ${JSON.stringify(parent.slice(0, 200))}: cais does not ask systemd for cgroups, so slice:prefix:name means nothing here; give a path such as "/system.slice/name"`;
  }
  for (const path of [...(host.MaskedPaths ?? []), ...(host.ReadonlyPaths ?? [])]) {
    if (!path.startsWith("/"))
      return `invalid masked or read-only path '${path.slice(0, 200)}': it must be absolute`;
  }
  return undefined;
}

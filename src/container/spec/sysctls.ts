import type { ContainerConfig, HostConfig } from "../../wire/container.ts";
import { containerOf, ownNetwork } from "./mode.ts";
import { type Origins, typedWord } from "./origins.ts";
import { parseUserns } from "./userns.ts";

/** Settings that the ipc namespace has of its own. */
const IPC = new Set(
  "msgmax msgmnb msgmni sem shmall shmmax shmmni shm_rmid_forced".split(" ").map((name) => `kernel.${name}`),
);

/**
 * Kernel settings of the container's namespaces: those asked for, and two that let processes without privileges ping
 * and listen on low ports of a network that is the container's own.
 */
export function sysctlsOf(
  config: ContainerConfig,
  host: HostConfig,
  origins: Origins,
): Readonly<Record<string, string>> {
  const sysctls: Record<string, string> = {};
  if (config.Domainname && ownUts(host)) {
    sysctls["kernel.domainname"] = config.Domainname;
    origins.add("linux.sysctl.kernel.domainname", `--domainname ${typedWord(config.Domainname)}`);
  }
  if (ownNetwork(host.NetworkMode)) {
    // The group range would name groups that a user namespace has not.
    if (typeof parseUserns(host.UsernsMode) !== "object")
      sysctls["net.ipv4.ping_group_range"] = "0 2147483647";
    sysctls["net.ipv4.ip_unprivileged_port_start"] = "0";
  }
  for (const [name, value] of Object.entries(host.Sysctls ?? {})) {
    sysctls[name] = value;
    origins.add(`linux.sysctl.${name}`, `--sysctl ${typedWord(`${name}=${value}`)}`);
  }
  return sysctls;
}

/** Why a setting cannot be made: it is the host's, in the words of Docker's runtime. */
export function wrongSysctl(host: HostConfig): string | undefined {
  for (const name of Object.keys(host.Sysctls ?? {})) {
    const shown = `sysctl ${JSON.stringify(name.slice(0, 100))}`;
    const dotted = name.replaceAll("/", ".");
    if (/(^|[./])\.?\.([./]|$)/.test(name) || !/^[\w.*:@/-]+$/.test(name)) {
      return `${shown} is not in a separate kernel namespace`;
    }
    if (IPC.has(dotted) || dotted.startsWith("fs.mqueue.")) {
      if (host.IpcMode === "host") return `${shown} is not allowed in the hosts ipc namespace`;
    } else if (dotted.startsWith("net.")) {
      if (host.NetworkMode === "host") return `${shown} not allowed in host network namespace`;
    } else if (dotted === "kernel.hostname" && ownUts(host)) {
      return `${shown} is not allowed as it conflicts with the OCI "hostname" field`;
    } else if (dotted !== "kernel.domainname" || !ownUts(host)) {
      return `${shown} is not in a separate kernel namespace`;
    }
  }
  return undefined;
}

/** Neither the host's host name nor another container's. */
export function ownUts(host: HostConfig): boolean {
  return host.UTSMode !== "host" && containerOf(host.UTSMode) === undefined;
}

import type { Namespace, NamespaceType } from "../../oci/runtime/linux.ts";
import type { HostConfig } from "../../wire/container.ts";
import type { SpecFacts } from "./facts.ts";
import { containerOf } from "./mode.ts";
import { type Origins, typedWord } from "./origins.ts";
import { timeOffsetsOf, typedTimeOffsets } from "./time.ts";
import { parseUserns } from "./userns.ts";

/** The container's namespaces: its own, or another container's by the file in `/proc`; one that is missing is the host's. */
export function namespacesOf(host: HostConfig, facts: SpecFacts, origins: Origins): readonly Namespace[] {
  const namespaces: Namespace[] = [{ type: "mount" }];
  const joined = facts.joined ?? {};
  const add = (type: NamespaceType, file: string, mode: string, pid?: number) => {
    if (mode === "host") return;
    if (containerOf(mode) === undefined) namespaces.push({ type });
    else if (pid !== undefined) namespaces.push({ type, path: `/proc/${pid}/ns/${file}` });
    else throw new Error(`Cannot join the ${type} namespace of ${mode}: the container does not run`);
  };
  const asked = (type: NamespaceType, option: string, mode: string | undefined) => {
    if (mode && mode !== "default") origins.add(`linux.namespaces.${type}`, `${option} ${typedWord(mode)}`);
    return mode ?? "";
  };
  add("network", "net", asked("network", "--network", host.NetworkMode), joined.network);
  add("uts", "uts", asked("uts", "--uts", host.UTSMode), joined.uts);
  add("pid", "pid", asked("pid", "--pid", host.PidMode), joined.pid);
  add("ipc", "ipc", asked("ipc", "--ipc", host.IpcMode), joined.ipc);
  if (typeof parseUserns(host.UsernsMode) === "object") {
    add("user", "user", asked("user", "--userns", host.UsernsMode) && "");
  }
  add("cgroup", "cgroup", asked("cgroup", "--cgroupns", host.CgroupnsMode) || defaultCgroupMode(host, facts));
  if (timeOffsetsOf(host)) {
    add("time", "time", "");
    for (const part of ["linux.namespaces.time", "linux.timeOffsets"])
      origins.add(part, typedTimeOffsets(host));
  }
  return namespaces;
}

/** Own, but a privileged container on cgroup v1 sees the host's, as in Docker, to be able to run an engine inside. */
function defaultCgroupMode(host: HostConfig, { cgroupVersion }: SpecFacts): "host" | "private" {
  return host.Privileged && cgroupVersion === 1 ? "host" : "private";
}

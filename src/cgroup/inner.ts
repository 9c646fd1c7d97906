import { readFileSync } from "node:fs";
import { errnoOf } from "./error.ts";

/**
 * Where a further process of a container can be born on cgroup v2. A container that its cgroup was delegated to may
 * have moved its processes into cgroups below and given controllers to these: then there can be none in its own
 * ("no internal processes", cgroup-v2.rst), and it goes where the first one is, as with runc.
 * @param unified the container's own directory
 * @param cgroup the same, relative to its tree
 */
export function cgroupForMore(unified: string, cgroup: string, pid: number): string {
  try {
    if (readFileSync(`${unified}/cgroup.subtree_control`, "utf8").trim() === "") return unified;
    const [, path = ""] = /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, "utf8")) ?? [];
    const at = path.indexOf(`${cgroup}/`);
    return at < 0 ? unified : `${unified}${path.slice(at + cgroup.length)}`;
  } catch (error) {
    // It has ended: whoever tries to join it will say so.
    if (["ENOENT", "ENODEV", "ESRCH"].includes(errnoOf(error) ?? "")) return unified;
    throw error;
  }
}

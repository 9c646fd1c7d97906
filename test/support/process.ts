import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Namespaces of a process, `{ pid: "pid:[4026531836]", … }`, as `ls -l /proc/PID/ns` lists them. */
export function namespacesOf(pid: number | "self"): Record<string, string> {
  const directory = `/proc/${pid}/ns`;
  return Object.fromEntries(
    readdirSync(directory).map((name) => [name, readlinkSync(`${directory}/${name}`)]),
  );
}

/** What prints, inside a container, the lines that `parseNamespaces` reads. */
export const LIST_NAMESPACES = ["sh", "-c", "for n in /proc/self/ns/*; do echo $n $(readlink $n); done"];

/** Reads the output of `LIST_NAMESPACES`. */
export function parseNamespaces(listing: string): Record<string, string> {
  return Object.fromEntries(
    listing
      .trim()
      .split("\n")
      .map((line) => line.trim().split(" "))
      .map(([path = "", link = ""]) => [path.split("/").at(-1) ?? "", link]),
  );
}

/** A field of `/proc/PID/status`: `NSpid` → `"4711\t1"`. */
export function statusOf(pid: number, field: string): string {
  const line = readFileSync(`/proc/${pid}/status`, "utf8")
    .split("\n")
    .find((one) => one.startsWith(`${field}:`));
  return line?.slice(field.length + 1).trim() ?? "";
}

/** KiB of a kind of its memory: `VmRSS`, `RssFile`, `RssAnon`. */
export const memoryOf = (pid: number, kind: string): number => Number.parseInt(statusOf(pid, kind), 10);

/** Ids of a process in its pid namespaces, the machine's first. */
export function pidsOf(pid: number): number[] {
  return statusOf(pid, "NSpid").split("\t").map(Number);
}

/** Processor time a process and its threads have used, in seconds; fields 14 and 15 of proc_pid_stat(5). */
export function processorSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 13)
    .map(Number);
  // USER_HZ is 100 on every architecture that Linux still has and Debian knows.
  return (user + system) / 100;
}

/**
 * A file of the cgroup a process is in, wherever the machine has that controller: `v1` is the name of the file
 * on version 1, `v2` on version 2.
 */
export function readCgroup(pid: number, controller: string, names: { v1: string; v2: string }): string {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => line.split(" "));
  const groups = readFileSync(`/proc/${pid}/cgroup`, "utf8").trimEnd().split("\n");
  for (const group of groups) {
    const [, controllers = "", path = ""] = group.split(":");
    if (controllers !== "" && !controllers.split(",").includes(controller)) continue;
    const mount = mounts.find((fields) => {
      const rest = fields.slice(fields.indexOf("-") + 1);
      if (controllers === "") return rest[0] === "cgroup2";
      return rest[0] === "cgroup" && rest[2]?.split(",").includes(controller);
    });
    if (!mount) continue;
    try {
      return readFileSync(`${mount[4]}${path}/${controllers === "" ? names.v2 : names.v1}`, "utf8").trim();
    } catch {
      // A hybrid: the controller is on version 1, this was version 2's hierarchy.
    }
  }
  throw new Error(`No cgroup with the ${controller} controller for process ${pid}`);
}

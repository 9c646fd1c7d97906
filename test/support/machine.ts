import { spawnSync } from "node:child_process";
import { existsSync, globSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { tmpdir } from "node:os";

/** What a test could leave behind on a machine, by kind: `mount`, `link`, `netns`, `nft`, `cgroup`, … */
export type Machine = Readonly<Record<string, readonly string[]>>;

/** Something that is there and was not, or the other way round. */
export interface Difference {
  readonly kind: string;
  readonly change: "left behind" | "gone";
  readonly what: string;
}

/** The machine as it is now. */
export function lookAtMachine(): Machine {
  return {
    mount: mounts(),
    link: existsSync("/sys/class/net") ? readdirSync("/sys/class/net") : [],
    netns: globSync("/{var/run,run}/netns/*"),
    nft: rules(),
    cgroup: cgroups(),
    process: processes(),
    file: globSync(["/run/cais/**", "/var/lib/cais/**", `${tmpdir()}/*`]),
  };
}

/** Nobody lost anything when one of these has ended. */
const COMES_AND_GOES: ReadonlySet<string> = new Set(["process", "cgroup"]);

/** What differs between two looks. */
export function differences(before: Machine, after: Machine): Difference[] {
  return Object.keys(before).flatMap((kind) => {
    const was = new Set(before[kind]);
    const is = new Set(after[kind]);
    return [
      ...[...is]
        .filter((what) => !was.has(what))
        .map((what) => ({ kind, change: "left behind" as const, what })),
      ...[...was]
        .filter((what) => !is.has(what) && !COMES_AND_GOES.has(kind))
        .map((what) => ({ kind, change: "gone" as const, what })),
    ];
  });
}

/**
 * What differs once the machine has settled: the kernel takes network namespaces and killed processes apart
 * after the call that ended them has returned, and tells nobody when it is done. Waits two seconds at most.
 */
export async function settledDifferences(before: Machine): Promise<Difference[]> {
  for (let tries = 20; ; tries--) {
    const found = differences(before, lookAtMachine());
    if (found.length === 0 || tries === 0) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** One line for people. */
export function describeDifference({ kind, change, what }: Difference): string {
  return `${kind} ${change}: ${what}`;
}

/** Mount point, type and source; without the ids, which differ from mount to mount. */
function mounts(): string[] {
  return readLines("/proc/self/mountinfo").map((line) => {
    const [fields = "", rest = ""] = line.split(" - ");
    const [type, source] = rest.split(" ");
    return `${fields.split(" ")[4]} (${type} of ${source})`;
  });
}

/** nftables rules without their counters; nothing where `nft` is not installed. */
function rules(): string[] {
  const listed = spawnSync("nft", ["-s", "list", "ruleset"], { encoding: "utf8" });
  return listed.status === 0 ? listed.stdout.split("\n").filter((line) => line.trim() !== "") : [];
}

/**
 * Cgroups of containers, in every hierarchy; others come and go on any machine. The parent that all engines of a
 * machine share stays.
 */
function cgroups(): string[] {
  const mounted = readLines("/proc/self/mountinfo")
    .filter((line) => / - cgroup2? /.test(line))
    .map((line) => line.split(" ")[4] ?? "");
  // Where a hierarchy is not mounted some runtimes make directories all the same.
  const roots = new Set([
    ...mounted,
    ...globSync("/sys/fs/cgroup/*/").map((path) => path.replace(/\/$/, "")),
  ]);
  return [...roots].flatMap((root) =>
    globSync(`${root}/**/cais*/**/`)
      // Some runtimes end the name of a directory with a slash, some do not.
      .map((path) => path.replace(/\/$/, ""))
      .filter((path) => path !== `${root}/cais`),
  );
}

/**
 * Processes that came from a test: they carry the runner's mark in their environment, or run a program that lies
 * or lay in an engine's directory or a test's (a launch program removes itself). Others come and go on any machine.
 */
function processes(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const program = readlinkSync(`/proc/${pid}/exe`);
        const mark = process.env.CAIS_TEST_MARK;
        const marked = mark !== undefined && readFileSync(`/proc/${pid}/environ`, "latin1").includes(mark);
        const ours = [tmpdir(), "/run/cais"].some((directory) => program.startsWith(`${directory}/`));
        if (!marked && !ours) return [];
        const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
        const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
        const line = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim().slice(0, 120);
        return [`${pid} started at ${started}: ${program} ${line}`];
      } catch {
        // It ended while we looked, or it is a kernel thread, which has no program.
        return [];
      }
    });
}

function readLines(file: string): string[] {
  return readFileSync(file, "utf8").trimEnd().split("\n");
}

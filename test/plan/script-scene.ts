import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { directoryIn, readLayout } from "../../src/cgroup/layout.ts";
import { createLauncher } from "../../src/container/keeper/launcher.ts";
import type { LaunchRequest } from "../../src/container/launcher.ts";
import type { RuntimeSpec } from "../../src/oci/runtime/spec.ts";
import { outputOf } from "../container/launch/output.ts";
import { command } from "../support/cais.ts";
import { busyboxTar } from "../support/fixtures.ts";

/** One configuration made twice: by the launcher, and by the script of the same plan. */

/** What a container says about itself, by subject. */
export type View = Readonly<Record<string, string>>;

/** Each subject and the command that asks for it, in the container. */
const QUESTIONS = {
  namespaces: "for each in cgroup ipc mnt net pid time user uts; do readlink /proc/self/ns/$each; done",
  mounts: "cut -d' ' -f2- /proc/self/mounts",
  hostname: "hostname; cat /proc/sys/kernel/domainname",
  limits: "cat /proc/self/limits",
  processes: "ps -o pid,ppid,comm | grep -E '^ +1 '",
  descriptors: "ls /proc/1/fd",
  privileges:
    "grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|SigBlk|SigIgn|Seccomp:)' /proc/self/status; cat /proc/self/oom_score_adj",
  session: "cut -d' ' -f5,6 /proc/1/stat; umask",
  cgroups: "cat /proc/self/cgroup",
  values:
    "cat /sys/fs/cgroup/*/memory.limit_in_bytes /sys/fs/cgroup/*/cpu.cfs_* /sys/fs/cgroup/*/pids.max 2>/dev/null",
  directory: "pwd",
  environment: "tr '\\0' '\\n' </proc/1/environ",
  devices: "ls -ln /dev /dev/pts | sed 's/ [A-Z][a-z][a-z] .. ..:.. / /'",
  network: "ip addr",
  writable:
    "for each in / /tmp /mnt /dev /proc/sys /sys; do touch $each/x 2>/dev/null && echo $each; rm -f $each/x; done 2>/dev/null",
  links: "ls -l /proc/1/root /proc/1/cwd | sed 's/.*-> //'",
} as const;

export const PROBE = Object.entries(QUESTIONS)
  .map(([subject, question]) => `echo "== ${subject}"; ${question}`)
  .join("\n");

function parse(output: string): View {
  const parts = output.split(/^== /m).slice(1);
  return Object.fromEntries(
    parts.map((part) => [part.slice(0, part.indexOf("\n")), part.slice(part.indexOf("\n") + 1)]),
  );
}

const host = (type: string) => readlinkSync(`/proc/self/ns/${type}`);
const HOST = new Set(["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"].map(host));

/**
 * Numbers of namespaces differ from run to run; what counts is which are the host's. The table of mounts is in the
 * order in which they were made, and trees that the launcher opens before the pivot are made before the root.
 */
function comparable(view: View): View {
  const namespaces = (view.namespaces ?? "")
    .split("\n")
    .map((each) => (HOST.has(each) ? `${each} of the host` : each.replace(/\d+/, "own")));
  const mounts = (view.mounts ?? "")
    .replaceAll(/(up|work)-\w+/g, "$1")
    .replaceAll(/=[^,:]*\/root(fs)?\//g, "=ROOT/")
    .split("\n")
    .sort();
  return { ...view, namespaces: namespaces.join("\n"), mounts: mounts.join("\n") };
}

/** Directories of one test file; `close` leaves nothing behind. */
export async function openScene() {
  const base = mkdtempSync(join(tmpdir(), "cais-script-"));
  mkdirSync(join(base, "lower"));
  execFileSync("tar", ["-xf", busyboxTar(), "-C", join(base, "lower")]);
  const layout = readLayout();
  const launcher = await createLauncher({ run: join(base, "run"), programs: join(base, "programs"), layout });
  let number = 0;

  const request = (spec: RuntimeSpec, extra: Partial<LaunchRequest>): LaunchRequest => {
    const id = `script-${process.pid}-${number++}`;
    const [upper, work] = [`up-${id.replaceAll("-", "_")}`, `work-${id.replaceAll("-", "_")}`];
    for (const each of [upper, work]) mkdirSync(join(base, each));
    return {
      id,
      runDir: join(base, "run/containers", id),
      spec,
      origins: new Map(),
      rootfs: { kind: "overlay", base, lower: ["lower"], upper, work },
      stdin: false,
      trace: false,
      init: false,
      ...extra,
    };
  };

  return {
    base,
    launcher,
    request,

    /** The text of the script that makes a container. */
    script: (spec: RuntimeSpec, extra: Partial<LaunchRequest> = {}) =>
      launcher.explain(request(spec, extra), "script"),

    /** By the launcher. */
    async launched(spec: RuntimeSpec, extra: Partial<LaunchRequest> = {}): Promise<View> {
      const running = await launcher.start(request(spec, extra));
      const { stderr: errors, stdout: output } = await outputOf(running);
      const { code } = await running.exited;
      running.release();
      if (code !== 0) throw new Error(`The container ended with ${code}: ${errors}`);
      return comparable(parse(output));
    },

    /** By hand. */
    async scripted(
      spec: RuntimeSpec,
      extra: Partial<LaunchRequest> = {},
      environment: Readonly<Record<string, string>> = {},
    ): Promise<View> {
      const asked = request(spec, extra);
      const path = join(base, `${asked.id}.sh`);
      writeFileSync(path, launcher.explain(asked, "script"));
      const ended = await command("sh", [path], { env: { ...process.env, ...environment } });
      if (ended.code !== 0) throw new Error(`The script ended with ${ended.code}: ${ended.stderr}`);
      const left = layout.hierarchies
        .map((tree) => directoryIn(tree, `/cais/${asked.id}`))
        .filter((path) => existsSync(path));
      if (left.length > 0) throw new Error(`The script left ${left.join(" ")}`);
      return comparable(parse(ended.stdout));
    },

    close(): void {
      launcher.close();
      rmSync(base, { recursive: true });
    },
  };
}

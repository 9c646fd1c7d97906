import assert from "node:assert/strict";
import { test } from "node:test";
import { parseLayout } from "../../src/cgroup/layout.ts";
import { limits } from "../../src/cgroup/limits.ts";
import { launchPlan } from "../../src/container/launch/plan.ts";
import type { Arch } from "../../src/kernel/arch.ts";
import type { RuntimeSpec } from "../../src/oci/runtime/spec.ts";
import { compile } from "../../src/plan/compile.ts";
import { decodeReport, REPORT_SIZE, SPOOL } from "../../src/plan/records.ts";
import { needs } from "../support/skip.ts";
import type { Entry } from "./cpio.ts";
import { host, text } from "./files.ts";
import { guestBusybox, runInVm, vmMissing } from "./harness.ts";

// A whole container by the launch program alone: no bun in the guest, the shell stands for the engine.

/** What the container's process prints about itself. */
const WORKLOAD = `uname -m; hostname; echo pid $$; cat /proc/self/cgroup; cat /sys/fs/cgroup/pids.max
grep -c . /proc/mounts > /dev/null; ls -d /proc/[0-9]* | wc -l
grep CapEff /proc/self/status; : < /dev/null && echo null; (: < /dev/disk) 2>&1 | grep -o 'not permitted'
head -c 64m /dev/zero | tail -c 60m > /dev/null || true; echo written > /upper; exit 42`;

const SPEC: RuntimeSpec = {
  ociVersion: "1.2.0",
  hostname: "quay",
  process: {
    cwd: "/",
    user: { uid: 0, gid: 0 },
    args: ["/bin/sh", "-c", WORKLOAD],
    env: ["PATH=/bin"],
    noNewPrivileges: true,
    capabilities: {
      bounding: ["CAP_KILL", "CAP_MKNOD"],
      effective: ["CAP_KILL", "CAP_MKNOD"],
      permitted: ["CAP_KILL", "CAP_MKNOD"],
    },
  },
  mounts: [
    { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"] },
    { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755"] },
    { destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["nosuid"] },
    { destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", "ro"] },
    { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["ro", "nosuid", "noexec"] },
  ],
  linux: {
    namespaces: (["pid", "network", "mount", "ipc", "uts", "cgroup"] as const).map((type) => ({ type })),
    devices: [{ path: "/dev/disk", type: "b", major: 8, minor: 0, fileMode: 0o666 }],
    resources: {
      memory: { limit: 32 << 20, swap: 32 << 20 },
      pids: { limit: 25 },
      devices: [{ allow: false }],
    },
    maskedPaths: ["/proc/kcore", "/sys/firmware"],
    readonlyPaths: ["/proc/sys"],
  },
};

/** The engine's part, by hand: a reader of the reports, then nobody, so that the keeper leaves what nobody has read. */
const ENGINE = `mkdir -p /run/place /run/layers/upper /run/layers/work /sys/fs/cgroup/cais
for name in $(cat /sys/fs/cgroup/cgroup.controllers); do echo +$name > /sys/fs/cgroup/cais/cgroup.subtree_control; done
mkfifo /run/reports
exec 3<>/run/reports
: >/run/one.unclaimed
/program 3>&- &
report() { dd bs=${REPORT_SIZE} count=1 of=/run/report <&3 2> /dev/null; echo "report $(od -An -v -tx1 /run/report | tr -d ' \\n')"; }
report
kind() { echo $(od -An -tu4 -j4 -N4 /run/report); }
while [ $(kind) = 1 ] || [ $(kind) = 5 ]; do report; done
exec 3>&-
wait
for stream in stdout stderr; do
  [ -e /run/one/$stream.spool ] || continue
  dd bs=${SPOOL.start} skip=1 if=/run/one/$stream.spool of=/run/$stream 2> /dev/null
  while read -r line; do echo "$stream $line"; done < /run/$stream
done
echo "upper $(cat /run/layers/upper/upper)"
echo "mounts $(grep -c overlay /proc/mounts)"
rmdir /sys/fs/cgroup/cais/one && echo removed`;

function program(arch: Arch): Uint8Array {
  const layout = parseLayout({
    mountinfo: "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
    cgroup: "0::/\n",
    unifiedControllers: () => "cpuset cpu io memory pids\n",
  });
  const files = new Map([["/sys/fs/cgroup", new Set(["memory.swap.max"])]]);
  const plan = launchPlan({
    spec: SPEC,
    origins: new Map(),
    rootfs: { kind: "overlay", base: "/run/layers", lower: ["/image"], upper: "upper", work: "work" },
    cgroups: limits({ layout, cgroup: "/cais", files }, "/cais/one", SPEC.linux?.resources ?? {}),
    trees: layout.hierarchies,
    runDir: "/run/one",
    reports: "/run/reports",
    rootPlace: "/run/place",
    token: new Uint8Array(16).fill(7),
    stdin: false,
    init: false,
    isDirectory: () => true,
  });
  return compile(plan, { arch }).elf;
}

for (const arch of ["x86_64", "aarch64"] as const) {
  test(`a whole container on ${arch} with cgroup v2 alone`, needs(vmMissing(arch)), async () => {
    const image = ["sh", "cat", "uname", "hostname", "grep", "ls", "wc", "mknod", "head", "tail"].map(
      (name): [string, Entry] => [`/image/bin/${name}`, { kind: "link", target: "busybox" }],
    );
    const result = await runInVm({
      arch,
      modules: ["overlay"],
      command: ENGINE,
      files: new Map([
        ["/program", { kind: "file", bytes: program(arch), mode: 0o700 }],
        ["/image/bin/busybox", host(guestBusybox(arch))],
        ["/image/etc/hosts", text("")],
        ...image,
      ]),
    });
    const lines = result.output.trim().split("\n");
    const reports = lines
      .filter((line) => line.startsWith("report "))
      .map((line) => decodeReport(Buffer.from(line.slice("report ".length), "hex")));
    const said = (word: string) =>
      lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
    assert.deepEqual(
      // One for each stream that has something to say.
      [...new Set(reports.map((report) => report?.kind))],
      ["started", "output", "exited"],
      JSON.stringify(reports, (_, value) => (typeof value === "bigint" ? String(value) : value)) +
        result.output,
    );
    const ended = reports.at(-1);
    assert.ok(ended?.kind === "exited");
    assert.equal(ended.status >> 8, 42, result.output);
    assert.match(ended.oom, /^oom_kill [1-9]/m);
    assert.deepEqual(said("stdout"), [
      arch,
      "quay",
      "pid 1",
      "0::/",
      "25",
      "3",
      "CapEff:\t0000000008000020",
      "null",
      "not permitted",
    ]);
    assert.deepEqual(said("upper"), ["written"]);
    assert.deepEqual(said("mounts"), ["0"]);
    assert.ok(lines.includes("removed"), result.output);
  });
}

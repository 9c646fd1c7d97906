// Safe beside other test files.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parseLayout } from "../../src/cgroup/layout.ts";
import { limits } from "../../src/cgroup/limits.ts";
import { launchPlan } from "../../src/container/launch/plan.ts";
import { type Arch, hostArch } from "../../src/kernel/arch.ts";
import type { RuntimeSpec } from "../../src/oci/runtime/spec.ts";
import { compile } from "../../src/plan/compile.ts";
import { decodeReport, REPORT_SIZE, SPOOL } from "../../src/plan/records.ts";
import { needs, program } from "../support/skip.ts";
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

function compiled(arch: Arch, spec: RuntimeSpec = SPEC, at = ""): Uint8Array {
  const layout = parseLayout({
    mountinfo: "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
    cgroup: "0::/\n",
    unifiedControllers: () => "cpuset cpu io memory pids\n",
  });
  const files = new Map([["/sys/fs/cgroup", new Set(["memory.swap.max"])]]);
  const plan = launchPlan({
    spec,
    origins: new Map(),
    rootfs: {
      kind: "overlay",
      base: `${at === "" ? "/run" : at}/layers`,
      lower: [`${at}/image`],
      upper: "upper",
      work: "work",
    },
    cgroups: limits({ layout, cgroup: "/cais", files }, "/cais/one", spec.linux?.resources ?? {}),
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
        ["/program", { kind: "file", bytes: compiled(arch), mode: 0o700 }],
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

/** A file system with idmapped mounts, as a tmpfs of this kernel has none. */
const DISK = "mkdir -p /run/disk; chmod 755 /run; mount -t ext4 -o loop /disk /run/disk\n";

function disk(): Uint8Array {
  const directory = mkdtempSync(join(tmpdir(), "cais-disk-"));
  try {
    for (const each of ["image/bin", "image/etc", "layers/upper", "layers/work"])
      mkdirSync(join(directory, "tree", each), { recursive: true });
    copyFileSync(guestBusybox(hostArch()), join(directory, "tree/image/bin/busybox"));
    for (const name of ["sh", "cat", "echo", "mkdir", "stat", "grep"])
      symlinkSync("busybox", join(directory, "tree/image/bin", name));
    const file = join(directory, "disk");
    execFileSync("mke2fs", ["-q", "-t", "ext4", "-d", join(directory, "tree"), file, "16M"]);
    return readFileSync(file);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** What only the owner of a cgroup can do, and what not even he can. */
const DELEGATION = `cd /sys/fs/cgroup
mkdir inner && echo made
echo $$ > inner/cgroup.procs && cat /proc/self/cgroup
echo +pids > cgroup.subtree_control && cat inner/cgroup.controllers
(echo 7 > pids.max) 2>&1 | grep -o 'Permission denied'
cat pids.max
for file in . cgroup.procs cgroup.threads cgroup.subtree_control pids.max cgroup.type; do stat -c '%u %n' $file; done
exit 42`;

const delegated = (own: Partial<NonNullable<RuntimeSpec["linux"]>>, uid: number): RuntimeSpec => ({
  ...SPEC,
  mounts: (SPEC.mounts ?? []).map((mount) =>
    mount.type === "cgroup" ? { ...mount, options: ["rw", "nosuid", "noexec"] } : mount,
  ),
  process: {
    cwd: "/",
    ...SPEC.process,
    user: { uid, gid: uid },
    args: ["/bin/sh", "-c", DELEGATION],
    capabilities: {},
  },
  linux: {
    ...SPEC.linux,
    devices: [],
    namespaces: [...(SPEC.linux?.namespaces ?? []), ...(own.namespaces ?? [])],
    ...(own.uidMappings === undefined ? {} : { uidMappings: own.uidMappings, gidMappings: own.uidMappings }),
  },
});
const IDS = [{ containerID: 0, hostID: 100_000, size: 65_536 }];

for (const [who, spec] of Object.entries({
  "root of users of its own": delegated({ namespaces: [{ type: "user" }], uidMappings: IDS }, 0),
  "another user than root": delegated({}, 7),
}))
  test(
    `a cgroup namespace on cgroup v2 alone is delegated to ${who}`,
    needs(vmMissing(), program("mke2fs")),
    async () => {
      const result = await runInVm({
        modules: ["overlay", "loop", "ext4"],
        command: DISK + ENGINE.replace("rmdir /sys", "rmdir /sys/fs/cgroup/cais/one/inner; rmdir /sys"),
        files: new Map([
          ["/program", { kind: "file", bytes: compiled(hostArch(), spec, "/run/disk"), mode: 0o700 }],
          ["/disk", { kind: "file", bytes: disk(), mode: 0o600 }],
        ]),
      });
      const said = result.output
        .split("\n")
        .flatMap((line) => (line.startsWith("stdout ") ? [line.slice(7)] : []));
      const uid = String(spec.process?.user.uid);
      assert.deepEqual(
        said,
        [
          "made",
          "0::/inner",
          "pids",
          "Permission denied",
          "25",
          ...[".", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control"].map(
            (name) => `${uid} ${name}`,
          ),
          ...["pids.max", "cgroup.type"].map((name) => `${uid === "0" ? 65534 : 0} ${name}`),
        ],
        result.output,
      );
      assert.match(result.output, /^removed$/m);
    },
  );

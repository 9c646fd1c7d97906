// Safe beside other test files.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hostArch } from "../../src/kernel/arch.ts";
import type { RuntimeSpec } from "../../src/oci/runtime/spec.ts";
import { ROOT } from "../../tools/check/sources.ts";
import { needs } from "../support/skip.ts";
import type { Entry } from "./cpio.ts";
import { host, merged, text } from "./files.ts";
import { guestBusybox, repository, runInVm, vmMissing } from "./harness.ts";
import { SAY, saidIn } from "./said.ts";
import { SYSTEMD, systemBusFiles, systemdFiles, systemdMissing } from "./systemd.ts";

const LINK: Entry = { kind: "link", target: "busybox" };

const configuration = (args: readonly string[], path: string): RuntimeSpec => ({
  ociVersion: "1.2.0",
  root: { path: "rootfs" },
  process: { cwd: "/", user: { uid: 0, gid: 0 }, args, env: ["PATH=/bin"] },
  mounts: [
    { destination: "/proc", type: "proc", source: "proc" },
    { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["mode=755"] },
  ],
  annotations: { "org.systemd.property.TimeoutStopSec": "uint32 7" },
  linux: {
    cgroupsPath: path,
    namespaces: (["pid", "network", "mount", "ipc", "uts", "cgroup"] as const).map((type) => ({ type })),
    resources: {
      memory: { limit: 48 << 20 },
      pids: { limit: 20 },
      cpu: { quota: 20_000, period: 100_000, shares: 512, cpus: "0" },
      unified: { "memory.high": "40000000" },
      devices: [{ allow: false, access: "rwm" }],
    },
  },
});

/** One line of output for each thing that is looked at, behind its name. */
const COMMANDS = `
oci() { bun /cais/src/cli/main.ts runtime --root /run/oci --systemd-cgroup "$@"; }
${SAY}
show() { systemctl show test-one.scope -p $1 --value; }
cd /one
# Its streams are the container's: the end of a pipe would be that of the container.
oci create --pid-file /run/pid one < /dev/null > /run/made 2>&1
say made cat /run/made
say where cat /proc/$(cat /run/pid)/cgroup
for name in Slice Delegate MemoryMax MemoryHigh TasksMax CPUQuotaPerSecUSec CPUWeight AllowedCPUs DevicePolicy TimeoutStopUSec; do
  say $name show $name
done
oci start one
cd /sys/fs/cgroup/machine.slice/machine-cais.slice/test-one.scope
for file in memory.max memory.high pids.max cpu.max cpuset.cpus cgroup.procs; do say $file cat $file; done
oci update --memory 60m --pids-limit 30 one
say known show MemoryMax
systemctl daemon-reload
say reloaded cat memory.max pids.max cpu.max
say device oci exec one sh -c 'echo gone > /dev/null && cat /proc/self/cgroup'
say again oci create --bundle /one two
cd /
oci delete --force one
say gone show LoadState
say ran sh -c 'cd /two; bun /cais/src/cli/main.ts runtime --root /run/oci --systemd-cgroup run two < /dev/null; echo $?'
say failed oci create --bundle /three three
systemctl start dbus.service
rm /run/systemd/private
say bus sh -c 'cd /two; bun /cais/src/cli/main.ts runtime --root /run/oci --systemd-cgroup run two < /dev/null; echo $?'
say left ls -d /sys/fs/cgroup/machine.slice/machine-cais.slice/*.scope
`;

test(
  "with systemd, a container is a scope that it knows the limits of",
  needs(vmMissing(), systemdMissing()),
  async () => {
    const bundle = (name: string, args: readonly string[]) =>
      new Map<string, Entry>([
        [
          `/${name}/config.json`,
          text(JSON.stringify(configuration(args, `machine-cais.slice:test:${name}`))),
        ],
        [`/${name}/rootfs/proc`, { kind: "directory" as const }],
        [`/${name}/rootfs/dev`, { kind: "directory" as const }],
        [`/${name}/rootfs/bin/busybox`, host(guestBusybox(hostArch()))],
        ...["cat", "sh", "sleep"].map((each) => [`/${name}/rootfs/bin/${each}`, LINK] as const),
      ]);
    const result = await runInVm({
      files: merged(
        repository(ROOT),
        systemdFiles(),
        systemBusFiles(),
        bundle("one", ["sleep", "1000"]),
        bundle("two", ["sh", "-c", "cat /proc/self/cgroup; exit 7"]),
        bundle("three", ["/no/such/program"]),
      ),
      init: SYSTEMD,
      command: COMMANDS,
      memory: 2048,
      timeoutSeconds: 170,
    });
    const said = saidIn(result.output);
    const expected = {
      made: "",
      where: "0::/machine.slice/machine-cais.slice/test-one.scope",
      Slice: "machine-cais.slice",
      Delegate: "yes",
      MemoryMax: String(48 << 20),
      MemoryHigh: "40000000",
      TasksMax: "20",
      CPUQuotaPerSecUSec: "200ms",
      CPUWeight: "59",
      AllowedCPUs: "0",
      DevicePolicy: "strict",
      TimeoutStopUSec: "7s",
      "memory.max": String(48 << 20),
      "memory.high": String(40_000_000 - (40_000_000 % 4096)),
      "pids.max": "20",
      "cpu.max": "20000 100000",
      "cpuset.cpus": "0",
      known: String(60 << 20),
      // What systemd writes when it reads its configuration again is what was written before.
      reloaded: `${60 << 20} 30 20000 100000`,
      device: "0::/",
      gone: "not-found",
      ran: "0::/ 7",
      // Without its own socket it is asked over the system's bus.
      bus: "0::/ 7",
    };
    for (const [name, value] of Object.entries(expected))
      assert.equal(said.get(name), value, `${name}\n${result.output}`);
    assert.match(said.get("cgroup.procs") ?? "", /^\d+$/, "nothing but the container is in its cgroup");
    assert.match(said.get("again") ?? "", /unable to start unit test-one\.scope: .*already/i);
    assert.match(said.get("failed") ?? "", /no such file or directory/);
    assert.match(said.get("left") ?? "", /No such file/);
  },
);

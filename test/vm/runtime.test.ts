// Safe beside other test files.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ROOT } from "../../tools/check/sources.ts";
import { needs } from "../support/skip.ts";
import { repository, runInVm, vmMissing } from "./harness.ts";
import { SAY, saidIn } from "./said.ts";

/** One line of output for each thing that is looked at, behind its name. */
const COMMANDS = `
oci() { bun /cais/src/cli/main.ts runtime --root /run/oci "$@"; }
${SAY}
mkdir -p /bundle/rootfs/bin /bundle/rootfs/proc /bundle/rootfs/dev /bundle/rootfs/sys
cp /bin/busybox /bundle/rootfs/bin/busybox
for name in sh cat sleep true; do ln -s busybox /bundle/rootfs/bin/$name; done
cd /bundle
oci spec
sed -i 's/"terminal": true/"terminal": false/; s/"sh"/"sleep","1000"/; s|"linux": {|"linux": {"cgroupsPath": "/own/one",|' config.json
sed -i 's|"resources": {|"resources": {"memory": {"limit": 50331648}, "pids": {"limit": 20}, "unified": {"memory.high": "40000000"},|' config.json
# Its streams are the container's: the end of a pipe would be that of the container.
oci create --pid-file /run/pid one < /dev/null > /run/made 2>&1
say made cat /run/made
say status sh -c 'bun /cais/src/cli/main.ts runtime --root /run/oci state one | grep status'
oci start one
cd /sys/fs/cgroup/own/one
for file in memory.max memory.high pids.max cgroup.procs; do say $file cat $file; done
say pid cat /run/pid
say inside oci exec one cat /proc/self/cgroup
say device oci exec one sh -c 'echo gone > /dev/null && echo may'
oci update --memory 60m --pids-limit 30 one
say updated cat memory.max pids.max
oci update --cpu-quota 20000 --cpu-period 50000 one
oci update --cpu-period 100000 one
say kept cat cpu.max
mkdir inner second
echo $(cat /run/pid) > inner/cgroup.procs
echo +memory > cgroup.subtree_control
say arranged oci exec one cat /proc/self/cgroup
say second oci exec --cgroup second one cat /proc/self/cgroup
say busy oci exec --cgroup / one true
oci pause one
say paused cat cgroup.freeze
oci resume one
say stats sh -c 'bun /cais/src/cli/main.ts runtime --root /run/oci events --stats one | grep -o "\\"limit\\":[0-9]*" | head -n 1'
cd /
oci kill --all one KILL
oci delete --force one
say left ls /sys/fs/cgroup/own
`;

test(
  "the runtime limits, pauses, counts and clears away on cgroup v2 alone",
  needs(vmMissing()),
  async () => {
    const result = await runInVm({
      files: repository(ROOT),
      modules: ["overlay"],
      command: COMMANDS,
      memory: 2048,
      timeoutSeconds: 170,
    });
    const said = saidIn(result.output);
    const expected = {
      made: "",
      status: '"status": "created",',
      "memory.max": String(48 << 20),
      "memory.high": String(40_000_000 - (40_000_000 % 4096)),
      "pids.max": "20",
      "cgroup.procs": said.get("pid") ?? "",
      inside: "0::/",
      device: "may",
      updated: `${60 << 20} 30`,
      // Half of what is in the file is not lost when the other half is changed.
      kept: "20000 100000",
      // A cgroup with controllers for its children has no processes: the first one's is joined.
      arranged: "0::/inner",
      second: "0::/second",
      paused: "1",
      stats: `"limit":${60 << 20}`,
    };
    for (const [name, value] of Object.entries<string>(expected))
      assert.equal(said.get(name), value, `${name}\n${result.output}`);
    assert.match(said.get("busy") ?? "", /EBUSY/);
    const left = said.get("left") ?? "nothing was said";
    assert.ok(!/\bone\b|nothing/.test(left), left);
  },
);

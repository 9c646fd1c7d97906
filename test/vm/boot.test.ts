// Safe beside other test files.
import assert from "node:assert/strict";
import { test } from "node:test";
import { needs } from "../support/skip.ts";
import { text } from "./files.ts";
import { runInVm, vmMissing } from "./harness.ts";

for (const arch of ["x86_64", "aarch64"] as const) {
  test(`Debian's ${arch} kernel boots with cgroup v2 alone`, needs(vmMissing(arch)), async () => {
    const result = await runInVm({
      arch,
      files: new Map([["/greeting", text("from outside\n")]]),
      modules: ["overlay", "veth"],
      command: `cat /greeting; uname -m; grep -o ' cgroup[^ ]* .*' /proc/mounts; cat /sys/fs/cgroup/cgroup.subtree_control
        grep -o overlay /proc/filesystems; ip link add veth-a type veth peer name veth-b && echo linked; exit 7`,
    });
    const lines = result.output.trim().split("\n");
    assert.equal(result.status, 7, result.output);
    assert.deepEqual(lines.slice(0, 2), ["from outside", arch]);
    assert.match(lines[2] ?? "", /^ cgroup2 /);
    assert.ok(
      ["cpu", "memory", "pids", "io"].every((name) => lines[3]?.split(" ").includes(name)),
      result.output,
    );
    assert.deepEqual(lines.slice(4), ["overlay", "linked"]);
  });
}

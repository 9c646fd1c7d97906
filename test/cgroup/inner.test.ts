import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { cgroupForMore } from "../../src/cgroup/inner.ts";

// The files are ordinary ones here; on a machine with cgroup v2 alone, test/vm has a container that does it.

test("a further process goes to the first one's cgroup only where it cannot be in the container's own", () => {
  const unified = mkdtempSync(join(tmpdir(), "cais-inner-"));
  try {
    const control = join(unified, "cgroup.subtree_control");
    const own = /^0::(.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8"))?.[1] ?? "";
    // As if this process's cgroup were one that the container has made.
    const cgroup = own.slice(0, own.lastIndexOf("/"));
    writeFileSync(control, "\n");
    assert.equal(cgroupForMore(unified, cgroup, process.pid), unified);
    writeFileSync(control, "pids\n");
    if (cgroup !== "")
      assert.equal(cgroupForMore(unified, cgroup, process.pid), unified + own.slice(cgroup.length));
    assert.equal(cgroupForMore(unified, "/no/such", process.pid), unified);
    assert.equal(cgroupForMore(unified, cgroup, 2 ** 22 + 7), unified);
    mkdirSync(join(unified, "gone"));
    assert.equal(cgroupForMore(join(unified, "gone"), cgroup, process.pid), join(unified, "gone"));
  } finally {
    rmSync(unified, { recursive: true });
  }
});

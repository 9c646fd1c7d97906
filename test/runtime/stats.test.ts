import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parseLayout } from "../../src/cgroup/layout.ts";
import { statsOf } from "../../src/runtime/stats.ts";

const PRESSURE = `some avg10=1.50 avg60=0.25 avg300=0.05 total=4711
full avg10=0.00 avg60=0.00 avg300=0.00 total=0
`;

test("statistics of version 2 tell the pressure where the kernel counts it", () => {
  const path = mkdtempSync(join(tmpdir(), "cais-stats-"));
  try {
    const cgroup = join(path, "one");
    mkdirSync(cgroup);
    writeFileSync(join(cgroup, "cpu.stat"), "usage_usec 5\nuser_usec 3\nsystem_usec 2\n");
    writeFileSync(join(cgroup, "cpu.pressure"), PRESSURE);
    writeFileSync(join(cgroup, "memory.current"), "4096\n");
    writeFileSync(join(cgroup, "memory.pressure"), PRESSURE);
    const layout = parseLayout({
      mountinfo: `30 23 0:26 / ${path} rw - cgroup2 cgroup2 rw\n`,
      cgroup: "0::/\n",
      unifiedControllers: () => "cpu memory io pids\n",
    });
    const stats = statsOf(layout, "/one") as Readonly<Record<string, { psi?: object }>>;
    const expected = {
      some: { avg10: 1.5, avg60: 0.25, avg300: 0.05, total: 4711 },
      full: { avg10: 0, avg60: 0, avg300: 0, total: 0 },
    };
    assert.deepEqual(stats.cpu?.psi, expected);
    assert.deepEqual(stats.memory?.psi, expected);
    assert.equal(stats.blkio?.psi, undefined);
  } finally {
    rmSync(path, { recursive: true });
  }
});

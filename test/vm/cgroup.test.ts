// Safe beside other test files.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hostArch } from "../../src/kernel/arch.ts";
import { ROOT } from "../../tools/check/sources.ts";
import { needs } from "../support/skip.ts";
import { repository, runInVm, vmMissing } from "./harness.ts";

// The cgroup tests on cgroup v2 alone, where this machine may have a hybrid. bun starts slowly there: the
// processor is emulated, and nearly all of the time goes into translating what bun does once.
test(`cgroup v2 alone passes the cgroup tests (${hostArch()})`, needs(vmMissing()), async () => {
  const suites = ["life", "v2", "devices"].map((name) => `test/cgroup/${name}.test.ts`);
  const result = await runInVm({
    files: repository(ROOT),
    command: `cd /cais && bun test --timeout 60000 ${suites.join(" ")}`,
    memory: 1536,
    timeoutSeconds: 170,
  });
  assert.equal(result.status, 0, result.output);
  assert.match(result.output, /^ 0 fail$/m);
  assert.doesNotMatch(result.output, /^\(skip\)/m);
});

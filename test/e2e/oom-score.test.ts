import assert from "node:assert/strict";
import { test } from "node:test";
import { ownCapabilities } from "../../src/kernel/capabilities.ts";
import type { TestEngine } from "../support/engine.ts";
import { busyboxMissing } from "../support/fixtures.ts";
import { needs, root } from "../support/skip.ts";
import { suiteEngine } from "../support/suite.ts";

/** `--oom-score-adj`, which only the host's root may lower, in containers with and without users of their own. */
const can = needs(root(), busyboxMissing());
const lower = needs(
  root(),
  busyboxMissing(),
  ownCapabilities().includes("CAP_SYS_RESOURCE")
    ? undefined
    : "this root may not lower oom_score_adj (see test/vm/engine.test.ts)",
);
let engine: TestEngine;

suiteEngine(can, "busybox", (started) => {
  engine = started;
});

const SCORE = ["cat", "/proc/self/oom_score_adj"];

for (const [kind, options] of [
  ["the host's users", []],
  ["users of its own", ["--userns", "uid=0:100000:65536"]],
] as const) {
  for (const score of ["0", "500", "-500"]) {
    test(
      `--oom-score-adj ${score} holds with ${kind}, also in an exec`,
      score.startsWith("-") ? lower : can,
      async () => {
        const common = ["--network", "none", "--oom-score-adj", score, "-u", "1000", ...options, "busybox"];
        assert.equal(await engine.ok(["run", "--rm", ...common, ...SCORE]), score);
        const id = await engine.ok(["run", "-d", ...common, "sleep", "1000"]);
        assert.equal(await engine.ok(["exec", id, ...SCORE]), score);
      },
    );
  }
}

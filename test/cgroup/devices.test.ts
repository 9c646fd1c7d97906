import assert from "node:assert/strict";
import { test } from "node:test";
import { deviceProgramSteps } from "../../src/cgroup/devices-bpf.ts";
import { readLayout } from "../../src/cgroup/layout.ts";
import type { DeviceRule } from "../../src/oci/runtime/resources.ts";
import { call, num, str } from "../../src/plan/build.ts";
import { runPlan } from "../../src/plan/run.ts";
import { needs, root } from "../support/skip.ts";
import { inside, scene } from "./scene.ts";

const unified = readLayout().unified === undefined ? "no cgroup v2 here" : undefined;
const AT_FDCWD = -100;
const O_DIRECTORY_CLOEXEC = 0o2200000;

test("the kernel takes the program, and it decides about devices", needs(root(), unified), async () => {
  await using it = scene();
  const rules: DeviceRule[] = [
    { allow: false },
    { allow: true, type: "c", major: 1, minor: 3, access: "rwm" },
    { allow: true, type: "c", major: 1, minor: 5, access: "r" },
    { allow: true, type: "b", major: -1, minor: -1, access: "m" },
    { allow: true, type: "c", major: 1, minor: 8, access: "rw" },
    { allow: false, type: "c", major: 1, minor: 8, access: "w" },
  ];
  const directory = str(it.plan.unified ?? "");
  const arguments_ = [num(AT_FDCWD), directory, num(O_DIRECTORY_CLOEXEC)];
  await runPlan({
    steps: [
      call("openat", arguments_, "open the cgroup", { result: "cgroup" }),
      ...deviceProgramSteps(rules, "cgroup"),
    ],
  });
  const shell = await inside(
    it.plan,
    `may() { if (eval "$2") 2>/dev/null; then mine="$mine $1"; fi; }
     may null-rw ': <>/dev/null'
     may zero-r ': </dev/zero'
     may zero-w ': >/dev/zero'
     may full-r ': </dev/full'
     may random-r ': </dev/random'
     may random-w ': >>/dev/random'
     test "$mine" = " null-rw zero-r random-r"`,
  );
  assert.deepEqual(await shell.exited, [0, null]);
});

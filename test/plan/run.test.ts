import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { call, from, mem, num, space, str } from "../../src/plan/build.ts";
import { StepError } from "../../src/plan/error.ts";
import { runPlan } from "../../src/plan/run.ts";
import type { Plan } from "../../src/plan/step.ts";

const AT_FDCWD = -100;
const AT_REMOVEDIR = 0x200;
const directory = mkdtempSync(join(tmpdir(), "cais-test-run-"));
after(() => rmSync(directory, { recursive: true }));
const options = { directory };

const makeDirectory = (path: string) =>
  call("mkdirat", [num(AT_FDCWD), str(path), num(0o755)], "make a directory", {
    undo: [call("unlinkat", [num(AT_FDCWD), str(path), num(AT_REMOVEDIR)], "remove the directory")],
  });

test("a plan's calls are made and its output comes back", async () => {
  const name = space(390, "uname");
  const plan: Plan = {
    steps: [
      call("uname", [mem(name)], "ask for the kernel's name"),
      call("write", [num(1), mem(name), num(390)], "say it"),
    ],
  };
  const { output } = await runPlan(plan, options);
  assert.match(new TextDecoder().decode(output), /^Linux\0/);
});

test("a result is kept and handed on", async () => {
  const plan: Plan = {
    steps: [
      call("memfd_create", [str("x"), num(0)], "make a file", { result: "file" }),
      call("write", [from("file"), str("hello"), num(5)], "write"),
      call("lseek", [from("file"), num(0), num(0)], "rewind"),
      call("sendfile", [num(1), from("file"), num(0), num(5)], "copy it out"),
    ],
  };
  const { output } = await runPlan(plan, options);
  assert.equal(new TextDecoder().decode(output), "hello");
});

test("a failed step undoes those before it and names call, errno and purpose", async () => {
  const first = join(directory, "a");
  const plan: Plan = {
    steps: [
      makeDirectory(first),
      makeDirectory(join(first, "b")),
      call("mkdirat", [num(AT_FDCWD), str("/nonexistent/x"), num(0o755)], "make a place for it"),
    ],
  };
  await assert.rejects(runPlan(plan, options), (error: unknown) => {
    assert.ok(error instanceof StepError);
    assert.equal(error.errno, "ENOENT");
    assert.equal(error.call, "mkdirat");
    assert.equal(error.number, 2);
    assert.match(error.message, /^Cannot make a place for it: mkdirat: no such file/);
    return true;
  });
  assert.equal(existsSync(first), false);
});

test("an injected failure takes the place of the call", async () => {
  const first = join(directory, "c");
  const plan: Plan = { steps: [makeDirectory(first), makeDirectory(join(first, "d"))] };
  await assert.rejects(runPlan(plan, { ...options, inject: { step: 1, errno: "ENOSPC" } }), /ENOSPC/);
  assert.equal(existsSync(first), false);
});

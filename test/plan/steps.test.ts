// Safe beside other test files.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { hostArch } from "../../src/kernel/arch.ts";
import { answers } from "../../src/kernel/netlink/decode.ts";
import { decodeLinks } from "../../src/kernel/netlink/route/decode.ts";
import { deleteLink, listLinks } from "../../src/kernel/netlink/route/link.ts";
import { openNetlink } from "../../src/network/wires/socket.ts";
import { call, from, mem, num, space, str, struct, u64 } from "../../src/plan/build.ts";
import { compile } from "../../src/plan/compile.ts";
import { StepError } from "../../src/plan/error.ts";
import { explainJson } from "../../src/plan/explain.ts";
import { runPlan } from "../../src/plan/run.ts";
import type { NetlinkMessage, Plan, Step } from "../../src/plan/step.ts";
import { needs } from "../support/skip.ts";
import { interpreterOf, machineMissing } from "./machine.ts";

// Every kind of step that is no process, executed on both architectures.

const directory = mkdtempSync(join(tmpdir(), "cais-test-steps-"));
after(() => rmSync(directory, { recursive: true }));

const AT_FDCWD = num(-100);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

for (const arch of ["x86_64", "aarch64"] as const) {
  const can = needs(arch === hostArch() ? undefined : machineMissing(arch));
  const interpreter = interpreterOf(arch);
  const options = { arch, directory, ...(interpreter === undefined ? {} : { interpreter }) };
  const run = (steps: readonly Step[]) => runPlan({ steps }, options);

  test(`${arch}: a number becomes decimal between a prefix and a suffix`, can, async () => {
    for (const value of [0, 7, 10, 4096, 1234567890, 2 ** 40]) {
      const into = space(64, "path");
      const size = space(8, "size");
      const { output } = await run([
        call("memfd_create", [str("m"), num(0)], "make a file", { result: "file" }),
        call("ftruncate", [from("file"), num(value)], "give it a size"),
        call("lseek", [from("file"), num(0), num(2)], "read the size", { result: "size" }),
        { kind: "decimal", slot: "size", into, prefix: "/proc/", suffix: "/uid_map", why: "say it" },
        { kind: "store", slot: "size", to: size, offset: 0, size: 8, why: "keep it" },
        call("write", [num(1), mem(into), num(`/proc/${value}/uid_map`.length + 1)], "say it"),
        call("write", [num(1), mem(size), num(8)], "say it"),
      ]);
      assert.equal(text(output.subarray(0, -8)), `/proc/${value}/uid_map\0`);
      assert.equal(Buffer.from(output.subarray(-8)).readBigInt64LE(), BigInt(value));
    }
  });

  test(
    `${arch}: calls in a row keep results, take those of others, and go on after tolerated errors`,
    can,
    async () => {
      const high = 2 ** 40 + 5;
      const again = { tolerate: ["ENOENT", "EBADF"] } as const;
      const { output } = await run([
        call("memfd_create", [str("m"), num(0)], "make a file", { result: "file" }),
        call("ftruncate", [from("file"), num(high)], "give it a size of more than 32 bits"),
        call("close", [num(-1)], "nobody minds"),
        call("unlinkat", [num(-1), str("gone"), num(0)], "the second tolerated error", again),
        call("unlinkat", [AT_FDCWD, str("/no/such/file"), num(0)], "the first", again),
        call("lseek", [from("file"), num(-1n), num(2)], "its end", { result: "size" }),
        call("dup3", [from("file"), num(100), num(0)], "another number", { result: "other" }),
        call("pwrite64", [from("other"), str("xyz"), num(3), num(2n ** 33n)], "write far away"),
        { kind: "store", slot: "size", to: space(8, "size"), offset: 0, size: 8, why: "keep it" },
        call("write", [num(1), mem(space(8, "size")), num(8)], "say it"),
        call("pread64", [from("file"), mem(space(8, "read")), num(3), num(2 ** 33)], "read it back"),
        call("write", [num(1), mem(space(8, "read")), num(3)], "say it"),
        call("close", [from("file")], "close it"),
      ]);
      assert.equal(Buffer.from(output).readBigInt64LE(), BigInt(high) - 1n);
      assert.equal(text(output.subarray(8)), "xyz");
    },
  );

  test(`${arch}: of calls in a row the one that fails is named, and none after it is made`, can, async () => {
    const path = join(directory, `after-${arch}`);
    for (let place = 0; place < 6; place++) {
      const steps = Array.from({ length: 6 }, (_, index) =>
        index === place
          ? call("mkdirat", [AT_FDCWD, str("/proc/nowhere"), num(0)], "fail here", { tolerate: ["EEXIST"] })
          : call("mkdirat", [AT_FDCWD, str(`${path}-${place}-${index}`), num(0o700)], `make ${index}`),
      );
      await assert.rejects(run(steps), (error) => {
        assert.ok(error instanceof StepError);
        assert.match(error.message, /fail here.*ENOENT/);
        return true;
      });
      for (let index = 0; index < 6; index++)
        assert.equal(existsSync(`${path}-${place}-${index}`), index < place, `${index} of ${place}`);
    }
  });

  test(
    `${arch}: a value is loaded from memory that a call wrote, and stored where another reads it`,
    can,
    async () => {
      const pair = space(8, "pair");
      const vector = struct([u64(0), u64(5)]);
      const { output } = await run([
        call("pipe2", [mem(pair), num(0)], "make a pipe"),
        { kind: "load", from: pair, offset: 0, size: 4, into: "reader", why: "take its end" },
        { kind: "load", from: pair, offset: 4, size: 4, into: "writer", why: "take its end" },
        call("write", [from("writer"), str("hello"), num(5)], "write"),
        call("mmap", [num(0), num(4096), num(3), num(0x22), num(-1), num(0)], "have memory", {
          result: "memory",
        }),
        { kind: "store", slot: "memory", to: vector, offset: 0, size: 8, why: "point to it" },
        call("readv", [from("reader"), mem(vector), num(1)], "read into it"),
        call("writev", [num(1), mem(vector), num(1)], "say it"),
      ]);
      assert.equal(text(output), "hello");
    },
  );

  test(`${arch}: requests of netlink are answered, refused and tolerated`, can, async () => {
    const why = "remove what is not there";
    const message: NetlinkMessage = { kind: "message", request: deleteLink("nobody-here"), why };
    const remove = (...messages: readonly NetlinkMessage[]): Step => ({
      kind: "netlink",
      socket: "socket",
      protocol: "route",
      messages,
    });
    const tolerant: NetlinkMessage = { ...message, tolerate: ["EPERM", "ENODEV"] };
    const open = openNetlink("route", "socket", "ask the kernel");
    const list: Step = { kind: "dump", socket: "socket", request: listLinks(), why: "look" };
    const { output } = await run([open, remove(tolerant, tolerant), list, list]);
    const links = decodeLinks(answers(output));
    assert.deepEqual(
      links.filter(({ name }) => name === "lo").map(({ index, mtu, up }) => [index, mtu > 0, up]),
      [
        [1, true, true],
        [1, true, true],
      ],
    );
    await assert.rejects(run([open, remove(tolerant, message, message)]), (error: StepError) => {
      assert.equal(error.number, 2);
      assert.match(error.message, /^Cannot remove what is not there: ip link delete: .* \((ENODEV|EPERM)\)/);
      return true;
    });
  });

  test(
    `${arch}: a tolerated error goes on, one at the head of an attempt skips the rest of it`,
    can,
    async () => {
      const say = (word: string) => call("write", [num(1), str(word), num(word.length)], "say it");
      const missing = call("openat", [AT_FDCWD, str("/nonexistent"), num(0), num(0)], "open it");
      const { output } = await run([
        { ...missing, tolerate: ["EPERM", "ENOENT"], result: "file" },
        say("a"),
        { kind: "attempt", tolerate: ["ENOENT"], why: "try", steps: [missing, say("never")] },
        { kind: "attempt", tolerate: ["ENOENT"], why: "try", steps: [say("b"), say("c")] },
      ]);
      assert.equal(text(output), "abc");
      const strict: Step = {
        kind: "attempt",
        tolerate: ["EPERM"],
        why: "try",
        steps: [missing, say("never")],
      };
      await assert.rejects(run([say("a"), strict]), /Cannot open it: openat: .*ENOENT/);
    },
  );

  test(
    `${arch}: undos run from the last to the first, each once, and only those of steps that were made`,
    can,
    async () => {
      const log = join(directory, "log");
      const note = (word: string) => [
        call("openat", [AT_FDCWD, str(log), num(0o2001 | 0o100), num(0o600)], "open", { result: "log" }),
        call("write", [from("log"), str(word), num(word.length)], "note it"),
      ];
      const step = (word: string) =>
        call("getpid", [], word, {
          undo: [call("write", [from("log"), str(word), num(word.length)], "undo")],
        });
      const fail = call("chdir", [str("/nonexistent")], "go there");
      await assert.rejects(
        run([...note(">"), step("1"), step("2"), step("3"), fail, step("4")]),
        (error: unknown) => {
          assert.ok(error instanceof StepError);
          assert.deepEqual([error.number, error.errno], [5, "ENOENT"]);
          return true;
        },
      );
      const { readFileSync } = await import("node:fs");
      assert.equal(readFileSync(log, "utf8"), ">321");
      rmSync(log);
    },
  );

  test(
    `${arch}: a program is found along PATH; what cannot be executed is told by the best reason`,
    can,
    async () => {
      const plain = join(directory, "plain");
      writeFileSync(plain, "text", { mode: 0o644 });
      const exec = (...candidates: string[]): Step => ({
        kind: "exec",
        candidates,
        argv: ["sh", "-c", "echo $0 $A"],
        env: ["A=b"],
        why: "run it",
      });
      assert.equal(
        text((await run([exec("/nonexistent/sh", "/etc/passwd/sh", "/bin/sh")])).output),
        "sh b\n",
      );
      await assert.rejects(run([exec("/nonexistent/sh")]), /ENOENT/);
      await assert.rejects(run([exec(plain, "/nonexistent/sh")]), /EACCES/);
      assert.equal(existsSync(plain), true);
      rmSync(plain);
    },
  );
}

test("records and explanations number the steps alike", () => {
  const inner = call("getpid", [], "inner");
  const plan: Plan = {
    steps: [
      call("getpid", [], "first"),
      { kind: "attempt", tolerate: ["ENOENT"], why: "try", steps: [call("getppid", [], "second"), inner] },
      { kind: "load", from: space(8, "m"), offset: 0, size: 8, into: "x", why: "no call" },
      {
        kind: "clone",
        flags: 0n,
        flagsText: "0",
        pid: "child",
        child: [call("getuid", [], "child's")],
        why: "clone",
      },
      call("getgid", [], "last"),
    ],
  };
  const { steps } = compile(plan);
  const { steps: explained } = JSON.parse(explainJson(plan)) as { steps: { index: number; why: string }[] };
  const lines = explained.sort((a, b) => a.index - b.index).map(({ why }) => why);
  assert.deepEqual(
    steps.map(({ step }) => step.why),
    lines,
  );
});

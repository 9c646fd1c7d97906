import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startEngine, type TestEngine } from "../support/engine.ts";
import { busyboxMissing, busyboxTar } from "../support/fixtures.ts";
import { needs, root } from "../support/skip.ts";

/** Programs that cannot be executed: each refusal says what is wrong with the program, for run and for exec. */
const can = needs(root(), busyboxMissing());
const foreign = process.arch === "arm64" ? { name: "x86_64", number: 62 } : { name: "aarch64", number: 183 };
const emulated = existsSync(`/proc/sys/fs/binfmt_misc/qemu-${foreign.name}`)
  ? `this machine executes ${foreign.name} programs`
  : undefined;
let engine: TestEngine;
let container: string;

before(async () => {
  if (can.skip !== undefined) return;
  engine = await startEngine();
  const directory = mkdtempSync(join(tmpdir(), "cais-programs-"));
  try {
    assert.equal(spawnSync("tar", ["-xf", busyboxTar(), "-C", directory]).status, 0);
    const put = (name: string, content: string | Uint8Array, mode = 0o755) =>
      writeFileSync(join(directory, name), content, { mode });
    mkdirSync(join(directory, "odd"));
    put("odd/script", "#!/bin/bash\necho hi\n");
    put("odd/windows", "#!/bin/sh\r\necho hi\r\n");
    put("odd/text", "just words\n");
    put("odd/empty", "");
    put("odd/plain", "#!/bin/sh\n", 0o644);
    put("odd/foreign", elf(foreign.number));
    put("odd/dynamic", elf(process.arch === "arm64" ? 183 : 62, "/lib64/ld-nowhere.so.2"));
    symlinkSync("/etc/passwd", join(directory, "odd/link"));
    symlinkSync("../odd/./script", join(directory, "odd/climbing"));
    cpSync(join(directory, "odd/script"), join(directory, "bin/on-path"));
    const tar = spawnSync("tar", ["-C", directory, "-cf", "-", "."], { maxBuffer: 1 << 26 });
    await engine.ok(["import", "-", "odd"], { input: tar.stdout });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  container = await engine.ok(["run", "-d", "--network", "none", "odd", "sleep", "1000"]);
});
after(() => engine?.[Symbol.asyncDispose]());

/** A 64-bit little-endian ELF header with at most one PT_INTERP (elf(5)). */
function elf(machine: number, interpreter?: string): Uint8Array {
  const bytes = Buffer.alloc(512);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  bytes.writeUInt16LE(2, 16);
  bytes.writeUInt16LE(machine, 18);
  bytes.writeUInt32LE(1, 20);
  bytes.writeBigUInt64LE(64n, 32);
  bytes.writeUInt16LE(64, 52);
  bytes.writeUInt16LE(56, 54);
  bytes.writeUInt16LE(interpreter === undefined ? 0 : 1, 56);
  if (interpreter !== undefined) {
    bytes.writeUInt32LE(3, 64);
    bytes.writeBigUInt64LE(256n, 64 + 8);
    bytes.writeBigUInt64LE(BigInt(interpreter.length + 1), 64 + 32);
    bytes.write(`${interpreter}\0`, 256);
  }
  return bytes;
}

const cases: readonly (readonly [what: string, args: readonly string[], code: number, says: RegExp])[] = [
  ["no such program", ["nosuch"], 127, /exec: "nosuch": executable file not found in \$PATH/],
  ["no such path", ["/no/such"], 127, /exec: "\/no\/such": stat \/no\/such: no such file or directory/],
  ["not executable", ["/etc/passwd"], 126, /exec: "\/etc\/passwd": permission denied.*0644.*chmod \+x/],
  ["a link to it", ["/odd/link"], 126, /exec: "\/odd\/link": permission denied/],
  ["a script without the bit", ["/odd/plain"], 126, /permission denied.*not executable/],
  ["a directory", ["/etc"], 126, /exec: "\/etc": is a directory/],
  ["a script without its interpreter", ["/odd/script"], 127, /no such file or directory.*"\/bin\/bash"/],
  ["the same behind a link", ["/odd/climbing"], 127, /no such file or directory.*"\/bin\/bash"/],
  ["the same on PATH", ["on-path"], 127, /exec: "on-path".*bin\/on-path is there.*"\/bin\/bash"/],
  ["a script with Windows line ends", ["/odd/windows"], 127, /carriage return.*"\/bin\/sh\\r"/],
  ["a program without its loader", ["/odd/dynamic"], 127, /dynamic loader "\/lib64\/ld-nowhere\.so\.2"/],
  ["text", ["/odd/text"], 126, /exec format error.*neither a program nor a script/],
  ["an empty file", ["/odd/empty"], 126, /exec format error: \/odd\/empty is empty/],
];

test("an exec in a directory that is not there, with 127", can, async () => {
  const ended = await engine.cais(["exec", "-w", "/no/such", container, "true"]);
  assert.match(ended.stderr + ended.stdout, /\/no\/such.*no such file or directory/);
  assert.equal(ended.code, 127);
});

for (const [what, args, code, says] of cases) {
  test(`${what}: run and exec say so, with ${code}`, can, async () => {
    const run = await engine.cais(["run", "--rm", "--network", "none", "odd", ...args]);
    assert.match(run.stderr, says);
    assert.equal(run.stderr.trim().split("\n").length, 1);
    assert.equal(run.code, code);
    const exec = await engine.cais(["exec", container, ...args]);
    assert.match(exec.stderr + exec.stdout, says);
    assert.equal(exec.code, code);
    assert.equal((await engine.ok(["ps", "-aq"])).split("\n").length, 1);
  });
}

test("a program of another architecture is named", needs(root(), busyboxMissing(), emulated), async () => {
  const { code, stderr } = await engine.cais(["run", "--rm", "--network", "none", "odd", "/odd/foreign"]);
  assert.match(stderr, new RegExp(`exec format error: /odd/foreign is built for ${foreign.name}`));
  assert.equal(code, 126);
});

test("a relative path counts from the working directory, and a start keeps the sentence", can, async () => {
  const id = await engine.ok(["create", "--network", "none", "-w", "/odd", "odd", "./script"]);
  const { code, stderr } = await engine.cais(["start", id]);
  assert.match(stderr, /"\/bin\/bash"/);
  assert.equal(code, 1);
  const state = await engine.ok(["inspect", "-f", "{{.State.ExitCode}} {{.State.Error}}", id]);
  assert.match(state, /^127 exec: "\.\/script".*"\/bin\/bash"/);
  await engine.ok(["rm", id]);
});

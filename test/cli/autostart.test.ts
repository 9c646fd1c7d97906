import assert from "node:assert/strict";
import { once } from "node:events";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CAIS, command } from "../support/cais.ts";
import { needs, root } from "../support/skip.ts";

function temporary() {
  const directory = mkdtempSync(join(tmpdir(), "cais-auto-"));
  return { directory, [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }) };
}

/** Pids of engines whose command line names this directory. */
function enginesOf(directory: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
        return words.includes("serve") && words.includes(join(directory, "run"));
      } catch {
        return false;
      }
    })
    .map(Number);
}

test(
  "the first command starts an engine, says so once, and leaves it in a session of its own",
  needs(root()),
  async () => {
    using place = temporary();
    const where = ["--root", join(place.directory, "root"), "--run", join(place.directory, "run")];
    const first = await command(CAIS, [...where, "ps", "-q"]);
    const engines = enginesOf(place.directory);
    try {
      assert.deepEqual(first, {
        code: 0,
        stdout: "",
        stderr: `cais: started the engine in the background (socket ${join(place.directory, "run/cais.sock")})\n`,
      });
      assert.deepEqual(await command(CAIS, [...where, "ps", "-q"]), { code: 0, stdout: "", stderr: "" });
      assert.equal(engines.length, 1);
      const pid = engines[0] ?? 0;
      const session = Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ")[3]);
      assert.equal(session, pid);
      assert.equal(readlinkSync(`/proc/${pid}/cwd`), "/");
    } finally {
      // Not our child: a connection that it holds closes with its end, and nobody writes while the directory goes.
      const held = connect(join(place.directory, "run/cais.sock")).resume();
      await once(held, "connect");
      for (const pid of engines) process.kill(pid, "SIGTERM");
      await once(held, "close");
    }
  },
);

test("an engine that cannot start is told with its own last words", needs(root()), async () => {
  using place = temporary();
  const file = join(place.directory, "file");
  writeFileSync(file, "");
  const ended = await command(CAIS, [
    "--root",
    file,
    "--run",
    join(place.directory, "run"),
    "run",
    "host",
    "true",
  ]);
  assert.equal(ended.code, 125);
  assert.match(ended.stderr, /^cais: Cannot start the engine: .+\n$/);
  assert.doesNotMatch(ended.stderr, /\n\s+at /);
});

test("an address that was given is not started", async () => {
  const socket = join(tmpdir(), "cais-nobody.sock");
  for (const [args, code] of [
    [["ps"], 1],
    [["run", "x"], 125],
  ] as const) {
    const ended = await command(CAIS, ["-H", `unix://${socket}`, ...args]);
    assert.equal(ended.code, code);
    assert.match(ended.stderr, /Cannot connect to the engine at unix:.*: there is no such socket/);
    assert.equal(existsSync(socket), false);
  }
});

test("without root one sentence says why there is no engine", needs(root()), async () => {
  using place = temporary();
  const script = `chmod 755 ${place.directory}; exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"`;
  const ended = await command("sh", ["-c", script, "sh", CAIS, "--run", join(place.directory, "run"), "ps"]);
  // A checkout below somebody's home may be out of that user's reach.
  if (/Permission denied|Cannot find its runtime/.test(ended.stderr)) return;
  assert.equal(ended.code, 125);
  assert.match(ended.stderr, /^Cannot start the engine: cais must be root for that.*\n$/);
});

test("bin/cais works through a link, from anywhere, whatever the runtime's own variables say", async () => {
  using place = temporary();
  const link = join(place.directory, "linked");
  symlinkSync(CAIS, link);
  const env = { ...process.env, BUN_OPTIONS: "--no-such-option", BUN_BE_BUN: "1" };
  const ended = await command(link, ["--version"], {
    cwd: "/",
    env: CAIS.endsWith("bin/cais") ? env : process.env,
  });
  assert.deepEqual([ended.code, ended.stderr], [0, ""]);
  assert.match(ended.stdout, /^cais version \d+\.\d+\.\d+\n$/);
});

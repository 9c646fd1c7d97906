import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { busyboxMissing } from "../support/fixtures.ts";
import { needs, program, root } from "../support/skip.ts";
import { openTerminal } from "../support/terminal.ts";
import { makeScene } from "./scene.ts";

const possible = needs(root(), busyboxMissing(), program("script", "bsdutils"));

test("run and exec in the foreground give a person's terminal to the process", possible, async () => {
  await using scene = makeScene();
  const { root } = scene.cais;
  const bundle = scene.bundle("tty", { args: ["sh"], process: { terminal: true } });
  const words = ["runtime", "--root", root, "run", "--bundle", bundle, "tty"];
  await using terminal = await openTerminal(words, process.env);
  await terminal.until("# ");
  terminal.type("tty; stty size; ls -l /dev/console; id -u\n");
  await terminal.until(/\/dev\/pts\/0\r\n24 80\r\ncrw\S+ .*\r\n0\r\n/);
  terminal.resize(30, 100);
  terminal.type("while [ \"$(stty size)\" = '24 80' ]; do :; done; stty size\n");
  await terminal.until("30 100");
  // Ctrl-C is for what runs in there, not for the runtime.
  terminal.type('sh -c \'trap "echo cau""ght; exit" INT; echo rea""dy; while :; do sleep 1; done\'\n');
  await terminal.until("ready");
  terminal.type("\u0003");
  await terminal.until("caught");

  const inner = [
    "runtime",
    "--root",
    root,
    "exec",
    "--tty",
    "tty",
    "sh",
    "-c",
    "tty; read line; echo got $line; exit 6",
  ];
  await using second = await openTerminal(inner, process.env);
  await second.until("/dev/pts/1");
  second.type("words\n");
  await second.until("got words\r\n");
  assert.equal(await second.ended, 6);
  terminal.type("exit 7\n");
  assert.equal(await terminal.ended, 7);
  assert.equal(await scene.cais.ok(["list", "--quiet"]), "");
});

test("a terminal without a person has all that is said and reads to the end", possible, async () => {
  await using scene = makeScene();
  const { cais } = scene;
  const script = "seq 20000; read line; echo got $line; stty size; exit 5";
  const bundle = scene.bundle("tty", {
    args: ["sh", "-c", script],
    process: { terminal: true, consoleSize: { height: 40, width: 111 } },
  });
  const ended = await cais.run(["run", "--bundle", bundle, "tty"], { input: "words\n" });
  assert.equal(ended.code, 5, ended.stderr);
  const lines = ended.stdout.split("\n").filter((line) => line !== "words");
  const counted = Array.from({ length: 20_000 }, (_, index) => String(index + 1));
  assert.deepEqual(lines.slice(-4), ["20000", "got words", "40 111", ""]);
  assert.deepEqual(lines.slice(0, 20_000), counted);
  await cais.ok(["run", "--detach", "--bundle", scene.bundle("stays"), "stays"]);
  const nothing = await cais.run(["exec", "--tty", "stays", "sh", "-c", "test -t 0 && echo yes"]);
  assert.deepEqual({ code: nothing.code, stdout: nothing.stdout }, { code: 0, stdout: "yes\n" });
  const failed = await cais.run(["exec", "--tty", "stays", "nope"]);
  assert.match(failed.stderr, /exec: \\"nope\\": executable file not found in \$PATH/);
});

test(
  "the caller's terminal is as it was afterwards, whether the container could be started or not",
  possible,
  async () => {
    await using scene = makeScene();
    const run = (args: readonly string[]) => {
      const bundle = scene.bundle("tty", { args, process: { terminal: true } });
      const line = `stty -g; '${scene.program}' --root '${scene.cais.root}' run --bundle '${bundle}' tty; echo $?; stty -g`;
      const shown = spawnSync("script", ["-qc", line, "/dev/null"], { encoding: "utf8" }).stdout;
      // At the end of its own input `script` types a zero.
      const lines = shown.replaceAll("^@", "").trim().split("\r\n");
      assert.equal(lines.at(-1), lines[0], lines.join("\n"));
      return lines.slice(1, -1).join("\n");
    };
    assert.match(run(["stty"]), /^speed 38400 baud;[\s\S]*\n0$/);
    assert.match(run(["nope"]), /executable file not found[\s\S]*\n1$/);
  },
);

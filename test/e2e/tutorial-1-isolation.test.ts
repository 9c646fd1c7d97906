import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startEngine, type TestEngine } from "../support/engine.ts";
import { debianMissing, debianTar } from "../support/fixtures.ts";
import { LIST_NAMESPACES, namespacesOf, parseNamespaces, pidsOf } from "../support/process.ts";
import { needs, root } from "../support/skip.ts";
import { openTerminal } from "../support/terminal.ts";

/**
 * "Docker isolation": an image from a root file system tar, a shell in it, a second shell beside it, and the
 * same processes and namespaces seen from inside and from outside.
 */
const can = needs(root(), debianMissing());
const dockerfile = join(import.meta.dirname, "../fixtures/tutorial-1/Dockerfile");
let engine: TestEngine;

before(async () => {
  if (can.skip !== undefined) return;
  engine = await startEngine();
});
after(() => engine?.[Symbol.asyncDispose]());

test("build makes an image of a root file system tar", can, async () => {
  const context = mkdtempSync(join(tmpdir(), "cais-context-"));
  try {
    copyFileSync(dockerfile, join(context, "Dockerfile"));
    copyFileSync(debianTar(), join(context, "rootfs.tar"));
    await engine.ok(["build", "-t", "by-hand", context]);
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
  assert.match(await engine.ok(["images"]), /^by-hand\s+latest\s+[0-9a-f]{12}\s/m);
  assert.equal(await engine.ok(["inspect", "-f", "{{json .Config.Cmd}}", "by-hand"]), '["/bin/bash"]');
  const version = ["run", "--rm", "--network", "none", "by-hand", "cat", "/etc/debian_version"];
  assert.match(await engine.ok(version), /^12\./);
});

test("a shell and a second shell see the same few processes, the first as pid 1", can, async () => {
  const name = "isolated";
  await using shell = await openTerminal(
    ["run", "-it", "--rm", "--network", "none", "--name", name, "--hostname", "quay", "by-hand"],
    engine.env,
  );
  await shell.until(/root@quay:\/# /);
  await using second = await openTerminal(["exec", "-it", name, "/bin/bash"], engine.env);
  await second.until(/root@quay:\/# /);

  second.type("ps aux; echo done $?\n");
  await second.until(/done \d+\r\n/);
  const listed = second
    .screen()
    .split("\n")
    .filter((line) => /^root\s+\d+\s/.test(line));
  assert.equal(listed.length, 3, `two shells and ps:\n${second.screen()}`);
  assert.match(listed[0] ?? "", /^root\s+1\s.*\/bin\/bash/);

  // Outside they are ordinary processes, with pids of their own.
  const pid = Number(await engine.ok(["inspect", "-f", "{{.State.Pid}}", name]));
  assert.deepEqual(pidsOf(pid), [pid, 1]);
  const top = (await engine.ok(["top", name])).split("\n");
  assert.match(top[0] ?? "", /^UID\s+PID\s+PPID\s+C\s+STIME\s+TTY\s+TIME\s+CMD/);
  const pids = top.slice(1).map((line) => Number(line.trim().split(/\s+/)[1]));
  assert.ok(pids.includes(pid), `top lists ${pid}:\n${top.join("\n")}`);
  assert.equal(pids.length, 2, `the two shells:\n${top.join("\n")}`);
  for (const one of pids) {
    assert.equal(readFileSync(`/proc/${one}/cmdline`, "utf8"), "/bin/bash\0");
    assert.equal(pidsOf(one).length, 2);
  }

  second.type("exit 3\n");
  assert.equal(await second.ended, 3);
  shell.type("exit 4\n");
  assert.equal(await shell.ended, 4);
  assert.equal(await engine.ok(["ps", "-aq", "--filter", `name=${name}`]), "", "--rm removed it");
});

test("the terminal has the size of the window and follows it", can, async () => {
  const args = ["run", "-it", "--rm", "--network", "none", "by-hand", "/bin/bash", "--norc"];
  await using shell = await openTerminal(args, engine.env);
  await shell.until(/# /);
  shell.type("stty size\n");
  await shell.until("24 80");
  // What is typed is shown too: the quotes make it differ from what is answered.
  shell.type("trap 'stty size' WINCH; echo arm''ed\n");
  await shell.until("armed");
  shell.resize(40, 100);
  // bash runs a trap when the foreground command is over.
  shell.type("until [ \"$(stty size)\" = '40 100' ]; do :; done; echo resi''zed\n");
  await shell.until("resized");
  shell.type("exit\n");
  assert.equal(await shell.ended, 0);
});

test("every namespace differs from the machine's and is the same from inside and outside", can, async () => {
  const name = "namespaces";
  await engine.ok(["run", "-d", "--network", "none", "--name", name, "by-hand", "sleep", "infinity"]);
  const pid = Number(await engine.ok(["inspect", "-f", "{{.State.Pid}}", name]));
  const inside = parseNamespaces(await engine.ok(["exec", name, ...LIST_NAMESPACES]));
  const outside = namespacesOf(pid);
  assert.deepEqual(inside, outside);

  const machine = namespacesOf("self");
  for (const kind of ["cgroup", "ipc", "mnt", "net", "pid", "uts"]) {
    assert.notEqual(inside[kind], machine[kind], kind);
  }
  // As in Docker: a user namespace and a time namespace only where one is asked for.
  assert.equal(inside.user, machine.user);
  assert.equal(inside.time, machine.time);
  await engine.ok(["rm", "-f", name]);
});

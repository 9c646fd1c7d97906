import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestEngine } from "../support/engine.ts";
import { busyboxMissing } from "../support/fixtures.ts";
import { needs, root } from "../support/skip.ts";
import { suiteEngine } from "../support/suite.ts";

/** Containers that name others: their namespaces, their shared memory, their volumes. */
const can = needs(root(), busyboxMissing());
const NONE = ["--network", "none"] as const;
let engine: TestEngine;

suiteEngine(can, "busybox", (started) => {
  engine = started;
});

/** Make a container that sleeps. */
const sleeper = (name: string, ...args: readonly string[]) =>
  engine.ok(["run", "-d", "--name", name, ...NONE, ...args, "busybox", "sleep", "1000"]);

test(
  "--ipc container: joins the shared memory of a shareable one, and of one that joined it",
  can,
  async () => {
    await sleeper("donor", "--ipc", "shareable");
    await engine.ok(["exec", "donor", "sh", "-c", "echo from-donor > /dev/shm/note"]);
    await sleeper("second", "--ipc", "container:donor");
    const read = ["run", "--rm", ...NONE, "--ipc", "container:second", "busybox"];
    assert.equal(await engine.ok([...read, "cat", "/dev/shm/note"]), "from-donor");
    await engine.ok([...read, "sh", "-c", "echo back > /dev/shm/answer"]);
    assert.equal(await engine.ok(["exec", "donor", "cat", "/dev/shm/answer"]), "back");
    const ipc = (name: string) => engine.ok(["exec", name, "readlink", "/proc/self/ns/ipc"]);
    assert.equal(await ipc("second"), await ipc("donor"));
  },
);

test("--ipc container: outlives its donor, and is not fooled by a link in its place", can, async () => {
  await sleeper("leaving", "--ipc", "shareable");
  await sleeper("staying", "--ipc", "container:leaving");
  await engine.ok(["exec", "staying", "sh", "-c", "echo kept > /dev/shm/note"]);
  await engine.ok(["rm", "-f", "leaving"]);
  assert.equal(await engine.ok(["exec", "staying", "cat", "/dev/shm/note"]), "kept");

  await sleeper("liar", "--ipc", "shareable", "--cap-add", "SYS_ADMIN");
  await engine.ok(["exec", "liar", "sh", "-c", "umount /dev/shm && rmdir /dev/shm && ln -s /etc /dev/shm"]);
  const fooled = await engine.cais(["run", "--rm", ...NONE, "--ipc", "container:liar", "busybox", "true"]);
  assert.equal(fooled.code, 125);
  assert.match(fooled.stderr, /ELOOP/);
});

test("--ipc container: of one that keeps its own is refused", can, async () => {
  await sleeper("private");
  const { code, stderr } = await engine.cais([
    ...["run", "--rm", ...NONE, "--ipc", "container:private", "busybox", "true"],
  ]);
  assert.equal(code, 125);
  assert.match(stderr, /non-shareable IPC \(hint: use IpcMode:shareable for the donor container\)/);
});

/** A client takes 404 for a missing image, and pulls. */
const named = [
  [["--ipc", "container:nosuch"], "No such container: nosuch"],
  [["--pid", "container:nosuch"], "No such container: nosuch"],
  [["--network", "container:nosuch"], "No such container: nosuch"],
  [["--volumes-from", "nosuch"], "No such container: nosuch"],
  [["--network", "nosuch"], "network nosuch not found"],
] as const;
for (const [option, sentence] of named) {
  test(`create ${option.join(" ")} is refused, not answered as a missing image`, can, async () => {
    const { code, stderr } = await engine.cais(["create", ...option, "busybox", "true"]);
    // As Docker's client: 125 is for `run`.
    assert.equal(code, 1);
    assert.equal(stderr.trim().split("\n").length, 1, stderr);
    assert.ok(stderr.includes(sentence), stderr);
    assert.doesNotMatch(stderr, /pull/i);
    const [HostConfig] = [hostOf(option)];
    const response = await fetch("http://cais/containers/create", {
      unix: engine.socket,
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ Image: "busybox", Cmd: ["true"], HostConfig }),
    } as RequestInit);
    assert.equal(response.status, 400);
  });
}

function hostOf([flag, value]: readonly [string, string]): Record<string, unknown> {
  if (flag === "--volumes-from") return { VolumesFrom: [value] };
  return { [{ "--ipc": "IpcMode", "--pid": "PidMode" }[flag] ?? "NetworkMode"]: value };
}

test("--mount of a source that is not there is refused with Docker's sentence", can, async () => {
  const mount = "type=bind,source=/no/such/source,target=/x";
  const { code, stderr } = await engine.cais(["run", "--rm", "--mount", mount, "busybox", "true"]);
  assert.equal(code, 125);
  assert.match(
    stderr,
    /invalid mount config for type "bind": bind source path does not exist: \/no\/such\/source/,
  );
  assert.doesNotMatch(stderr, /pull/i);
});

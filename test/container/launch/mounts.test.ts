import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { busyboxMissing } from "../../support/fixtures.ts";
import { needs, root } from "../../support/skip.ts";
import { streamsOf } from "./output.ts";
import { makeScene, type Scene, shell } from "./scene.ts";

// Bind mounts are as read-only and as private as they are asked to be.

const can = { ...needs(root(), busyboxMissing()), timeout: 20_000 };
let scene: Scene;
let source: string;

const mount = (...args: string[]) => {
  const { status, stderr } = spawnSync("mount", args, { encoding: "utf8" });
  assert.equal(status, 0, stderr);
};

before(async () => {
  if (can.skip !== undefined) return;
  scene = await makeScene();
  source = join(scene.directory, "source");
  mkdirSync(source);
  mount("-t", "tmpfs", "source", source);
  mount("--make-shared", source);
  mkdirSync(join(source, "sub"));
  mkdirSync(join(source, "later"));
  mount("-t", "tmpfs", "sub", join(source, "sub"));
  writeFileSync(join(source, "file"), "content\n");
});
after(async () => {
  spawnSync("umount", ["-R", source]);
  await scene?.[Symbol.asyncDispose]();
});

const bound = (...options: string[]) => ({
  mounts: [{ destination: "/mnt", type: "bind", source, options }],
});
const WRITE =
  "(echo x > /mnt/new) 2>/dev/null && echo above; (echo x > /mnt/sub/new) 2>/dev/null && echo below; true";

for (const namespaces of [[], ["user"]] as const) {
  const kind = namespaces.length === 0 ? "" : ", with own users";

  test(`ro covers the mount itself, rro all that is below it${kind}`, can, async () => {
    const written = async (...options: string[]) =>
      (await scene.do(shell(WRITE), { ...bound(...options), namespaces })).stdout;
    // Files of the machine's root are nobody's in a user namespace: only that nothing can be written is seen.
    const own = namespaces.length === 0;
    assert.equal(await written("rbind"), own ? "above\nbelow\n" : "");
    assert.equal(await written("rbind", "ro"), own ? "below\n" : "");
    assert.equal(await written("rbind", "rro"), "");
    assert.equal(await written("rbind", "rw"), own ? "above\nbelow\n" : "");
    const listed = await scene.do(shell("cat /mnt/file; ls /mnt/sub | wc -l"), {
      ...bound("bind"),
      namespaces,
    });
    assert.equal(listed.stdout, "content\n0\n");
  });
}

test("propagation is private unless slave or shared is asked for, and never more", can, async () => {
  const seen = async (...options: string[]) => {
    const script =
      "echo up; read x; grep -c ' /mnt/later ' /proc/self/mountinfo; mount -t tmpfs inside /mnt/sub; echo done; read x";
    const capabilities = {
      bounding: ["CAP_SYS_ADMIN"],
      effective: ["CAP_SYS_ADMIN"],
      permitted: ["CAP_SYS_ADMIN"],
    };
    const running = await scene.start(`p-${options.join("-")}`, shell(script), {
      ...bound(...options),
      process: { capabilities },
      request: { stdin: true },
    });
    const reader = streamsOf(running).stdout.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    let said = "";
    const until = async (word: string) => {
      while (!said.includes(word)) said += new TextDecoder().decode((await reader.read()).value);
    };
    await until("up\n");
    mount("-t", "tmpfs", "later", join(source, "later"));
    await running.stdin?.write(Buffer.from("\n"));
    await until("done\n");
    const outside = readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .filter((line) => line.includes(` ${source}/sub `)).length;
    running.stdin?.close();
    await running.exited;
    running.release();
    spawnSync("umount", [join(source, "later")]);
    while (outside > 1 && spawnSync("umount", [join(source, "sub")]).status === 0) break;
    return { arrives: said.includes("1\n"), leaves: outside > 1 };
  };
  assert.deepEqual(await seen("rbind"), { arrives: false, leaves: false });
  assert.deepEqual(await seen("rbind", "rprivate"), { arrives: false, leaves: false });
  assert.deepEqual(await seen("rbind", "rslave"), { arrives: true, leaves: false });
  assert.deepEqual(await seen("rbind", "rshared"), { arrives: true, leaves: true });
});

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { lstatSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startEngine, type TestEngine } from "../support/engine.ts";
import { busyboxMissing, busyboxTar } from "../support/fixtures.ts";
import { namespacesOf } from "../support/process.ts";
import { needs, program, root } from "../support/skip.ts";

/**
 * "What is Docker": one image under several containers, copied on write; and the namespaces one by one.
 */
const can = needs(root(), busyboxMissing());
const MEBIBYTES = 64;
const NONE = ["--network", "none"] as const;
const content = randomBytes(MEBIBYTES << 20);
const digest = createHash("sha256").update(content).digest("hex");
let engine: TestEngine;

before(async () => {
  if (can.skip !== undefined) return;
  engine = await startEngine();
  const folder = mkdtempSync(join(tmpdir(), "cais-layers-"));
  try {
    writeFileSync(join(folder, "big"), content);
    writeFileSync(join(folder, "small"), "small\n");
    writeFileSync(join(folder, "extra.tar"), tar(folder, "big", "small"));
    writeFileSync(join(folder, "rootfs.tar"), readFileSync(busyboxTar()));
    writeFileSync(
      join(folder, "Dockerfile"),
      'FROM scratch\nADD rootfs.tar /\nADD extra.tar /\nCMD ["/bin/sh"]\n',
    );
    await engine.ok(["build", "-t", "layered", folder]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
after(() => engine?.[Symbol.asyncDispose]());

const inspect = (name: string, format: string): Promise<string> => engine.ok(["inspect", "-f", format, name]);

test("the image has a layer for each ADD, and history says which", can, async () => {
  const layers = JSON.parse(await inspect("layered", "{{json .RootFS.Layers}}")) as string[];
  assert.equal(layers.length, 2);
  for (const layer of layers) assert.match(layer, /^sha256:[0-9a-f]{64}$/);
  const history = await engine.ok(["history", "--no-trunc", "--format", "{{.CreatedBy}}", "layered"]);
  assert.match(history, /CMD .*\n.*ADD .*\n.*ADD /);
});

test("writing one byte to a large file copies it up; the image stays as it was", can, async () => {
  const write = "printf x | dd of=/big bs=1 count=1 conv=notrunc 2>/dev/null";
  await engine.ok(["run", ...NONE, "--name", "writer", "layered", "sh", "-c", write]);
  assert.equal(await engine.ok(["diff", "writer"]), "C /big");
  const upper = await inspect("writer", "{{.GraphDriver.Data.UpperDir}}");
  assert.equal(statSync(join(upper, "big")).size, content.length, "the whole file was copied up");

  const sum = await engine.ok(["run", "--rm", ...NONE, "layered", "sha256sum", "/big"]);
  assert.equal(sum.split(" ")[0], digest);
  await engine.ok(["rm", "writer"]);
});

test("a deleted file leaves a whiteout, a replaced directory an opaque one", can, async () => {
  const script = "rm /small; rm -r /var/log; mkdir /var/log; echo new > /var/log/new";
  await engine.ok(["run", ...NONE, "--name", "deleter", "layered", "sh", "-c", script]);
  const changes = (await engine.ok(["diff", "deleter"])).split("\n").sort();
  assert.deepEqual(changes, ["A /var/log/new", "C /var", "C /var/log", "D /small"]);

  const upper = await inspect("deleter", "{{.GraphDriver.Data.UpperDir}}");
  const whiteout = lstatSync(join(upper, "small"));
  assert.ok(whiteout.isCharacterDevice());
  assert.equal(whiteout.rdev, 0, "a character device 0/0, which is overlayfs's whiteout");
  assert.equal(await engine.ok(["run", "--rm", ...NONE, "layered", "cat", "/small"]), "small");

  // Committed, the whiteout becomes the image specification's: an image without the file.
  await engine.ok(["commit", "deleter", "without"]);
  const gone = await engine.cais(["run", "--rm", ...NONE, "without", "cat", "/small"]);
  assert.equal(gone.code, 1);
  assert.equal(await engine.ok(["run", "--rm", ...NONE, "without", "ls", "/var/log"]), "new");
  await engine.ok(["rm", "deleter"]);
  await engine.ok(["rmi", "without"]);
});

test(
  "two containers read one lower file from one page cache",
  needs(can.skip, program("fincore", "util-linux-extra")),
  async () => {
    await engine.ok(["run", ...NONE, "--name", "first", "layered", "true"]);
    const lower = (await inspect("first", "{{.GraphDriver.Data.LowerDir}}")).split(":");
    const file = lower
      .map((directory) => join(directory, "big"))
      .find((path) => statSync(path, { throwIfNoEntry: false }));
    assert.ok(file !== undefined, `big is in one of ${lower.join(", ")}`);
    const resident = () => {
      const listed = spawnSync("fincore", ["--bytes", "--noheadings", "--output", "RES", file], {
        encoding: "utf8",
      });
      return Number(listed.stdout.trim());
    };
    // Out of the cache, once it is on the disk: posix_fadvise(POSIX_FADV_DONTNEED) by way of dd.
    spawnSync("sync", [file]);
    spawnSync("dd", [`if=${file}`, "iflag=nocache", "count=0"]);
    assert.ok(resident() < 1 << 20, `${resident()} bytes are still cached`);

    // A shell's counters include those of the children it has waited for.
    const read = "cat /big > /dev/null; grep read_bytes /proc/$$/io";
    const bytesRead = async () => {
      const line = await engine.ok(["run", "--rm", ...NONE, "layered", "sh", "-c", read]);
      return Number(line.split(" ")[1]);
    };
    assert.ok((await bytesRead()) >= content.length, "the first reads from the disk");
    assert.equal(resident(), content.length);
    assert.ok((await bytesRead()) < 1 << 20, "the second does not");
    await engine.ok(["rm", "first"]);
  },
);

test("namespaces one by one: pid, net, mnt, ipc, uts", can, async () => {
  const run = (...args: readonly string[]) => engine.ok(["run", "--rm", ...NONE, ...args]);

  const processes = (await run("layered", "ps", "-o", "pid,comm")).split("\n").slice(1);
  assert.deepEqual(
    processes.map((line) => line.trim().split(/\s+/)),
    [["1", "ps"]],
  );

  const links = (await run("layered", "ip", "-o", "link")).split("\n");
  assert.equal(links.length, 1);
  assert.match(links[0] ?? "", /^1: lo: <LOOPBACK,UP,LOWER_UP>/);

  const mounted = await run(
    "--cap-add",
    "SYS_ADMIN",
    "--security-opt",
    "seccomp=unconfined",
    "layered",
    "sh",
    "-c",
    "mount -t tmpfs mine /var && grep -c ' /var tmpfs ' /proc/mounts",
  );
  assert.equal(mounted, "1");
  assert.doesNotMatch(readFileSync("/proc/self/mountinfo", "utf8"), / - tmpfs mine /);

  const queue = spawnSync("ipcmk", ["-Q"], { encoding: "utf8" }).stdout;
  const id = /\d+/.exec(queue)?.[0] ?? "";
  try {
    assert.ok(queues(readFileSync("/proc/sysvipc/msg", "utf8")).includes(id));
    assert.deepEqual(queues(await run("layered", "cat", "/proc/sysvipc/msg")), []);
  } finally {
    spawnSync("ipcrm", ["-q", id]);
  }

  const name = hostname();
  assert.equal(await run("--hostname", "quay", "layered", "hostname"), "quay");
  assert.equal(hostname(), name);
});

test("namespaces one by one: user", can, async () => {
  const args = [
    "run",
    "-d",
    ...NONE,
    "--name",
    "mapped",
    "--userns=uid=0:100000:65536",
    "layered",
    "sleep",
    "1000",
  ];
  await engine.ok(args);
  const pid = Number(await inspect("mapped", "{{.State.Pid}}"));
  assert.notEqual(namespacesOf(pid).user, namespacesOf("self").user);
  assert.equal(await engine.ok(["exec", "mapped", "id", "-u"]), "0");
  assert.match(readFileSync(`/proc/${pid}/uid_map`, "utf8"), /^\s*0\s+100000\s+65536$/m);
  await engine.ok(["rm", "-f", "mapped"]);
});

/** Ids of the message queues that `/proc/sysvipc/msg` lists, below its line of headings. */
function queues(listing: string): string[] {
  return listing
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/)[1] ?? "");
}

/** A tar of some files of a directory, as bytes. */
function tar(directory: string, ...names: readonly string[]): Buffer {
  return spawnSync("tar", ["-C", directory, "-cf", "-", ...names], { maxBuffer: 1 << 30 }).stdout;
}

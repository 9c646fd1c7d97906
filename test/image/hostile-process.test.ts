import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { userFiles } from "../../src/container/spec/user-files.ts";
import { getArchive } from "../../src/image/archive/get.ts";
import { putArchive } from "../../src/image/archive/put.ts";
import { statPath } from "../../src/image/archive/stat.ts";
import { exportRoot } from "../../src/image/export.ts";
import { runPlan } from "../../src/plan/run.ts";
import type { Bytes } from "../../src/storage/driver.ts";
import { openVolumes } from "../../src/volume/volumes.ts";
import { needs, root } from "../support/skip.ts";
import { scratch, streamOf, tarOf } from "./scratch.ts";

// A process of the container swaps directories and files for links to the machine while the engine copies
// (CVE-2018-15664, CVE-2019-14271 and their like): the machine is neither read nor written.

const can = { ...needs(root()), timeout: 60_000 };
const SECRET = "a secret of the machine\n";
const PASSWD = "root:x:0:0::/:/bin/sh\nvictim:x:4242:4242::/:/bin/sh\n";
/** How long each way of copying is tried. */
const TRIED_MS = 1500;
let directory: ReturnType<typeof scratch>;
let tree: string;
let victim: string;
let stop: () => Promise<void>;

const look = (): unknown =>
  fs
    .readdirSync(victim)
    .sort()
    .map((name) => {
      const { mode, mtimeMs, size, uid } = fs.lstatSync(join(victim, name));
      return [name, mode, uid, size, name === "" ? 0 : mtimeMs];
    });
let untouched: unknown;

before(async () => {
  if (can.skip !== undefined) return;
  directory = scratch();
  tree = join(directory.path, "tree");
  victim = join(directory.path, "victim");
  for (const path of [join(tree, "d"), victim]) fs.mkdirSync(path, { recursive: true });
  for (const name of ["secret", "file"]) fs.writeFileSync(join(victim, name), SECRET, { mode: 0o600 });
  fs.writeFileSync(join(victim, "passwd"), PASSWD);
  fs.writeFileSync(join(tree, "d/secret"), "of the container\n");
  untouched = look();
  const swapper = spawn(process.execPath, [join(import.meta.dirname, "swapper.ts"), tree, victim], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(swapper.stdout, "data");
  stop = async () => {
    const ended = once(swapper, "exit");
    swapper.kill("SIGKILL");
    await ended;
  };
});
after(async () => {
  await stop?.();
  directory?.[Symbol.dispose]();
});

/** Again and again, whatever is refused. */
async function again(what: () => Promise<unknown> | unknown): Promise<number> {
  const end = Date.now() + TRIED_MS;
  let worked = 0;
  while (Date.now() < end) {
    try {
      await what();
      worked++;
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
    }
    // The other process has a processor of its own only sometimes.
    await new Promise(setImmediate);
  }
  assert.deepEqual(look(), untouched);
  return worked;
}

async function textOf(bytes: Bytes): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks).toString("latin1");
}

const own = (text: string): void => assert.doesNotMatch(text, /secret of the machine/);

test("cp out of a container reads nothing but the container's", can, async () => {
  for (const path of ["d", "d/secret", "d/.", "d/secret/"])
    await again(async () => own(await textOf(getArchive(tree, path, runPlan).archive)));
  assert.ok((await again(async () => own(await textOf(exportRoot(tree, { runPlan }))))) > 0);
  await again(() => assert.notEqual(statPath(tree, "d/secret").size, SECRET.length));
});

test("cp into a container writes nothing but the container's", can, async () => {
  const archive = tarOf(
    { name: "d/", type: "directory", mode: 0o711, uid: 5 },
    { name: "d/file", data: "written by cp\n", mode: 0o666, uid: 5 },
    { name: "d/new/", type: "directory", mode: 0o777 },
    { name: "d/new/file", data: "written by cp\n" },
    { name: "d/link", type: "symlink", link: "nowhere" },
    { name: "d/hard", type: "hardlink", link: "d/file" },
  );
  for (const path of ["/", "/d/.."])
    await again(() => putArchive(tree, path, streamOf(archive), { runPlan, owner: { uid: 77, gid: 77 } }));
  const inside = tarOf({ name: "file", data: "written by cp\n", mode: 0o666 });
  assert.ok((await again(() => putArchive(tree, "/d", streamOf(inside), { runPlan }))) > 0);
});

test(
  "cp of special files and of attributes changes neither mode nor owner of what a link leads to",
  can,
  async () => {
    const special = { name: "d/special", type: "fifo", mode: 0o777, uid: 77, gid: 77 } as const;
    const plain = { name: "plain", type: "fifo", mode: 0o777, uid: 77, gid: 77 } as const;
    for (const entries of [[plain], [special], [plain, special]])
      await again(() => putArchive(tree, "/", streamOf(tarOf(...entries)), { runPlan }));
    const xattrs = new Map([["user.x", Buffer.from("y")]]);
    const marked = tarOf({ name: "plain", data: "x", xattrs });
    await again(() => putArchive(tree, "/", streamOf(marked), { runPlan }));
  },
);

test("who a user is, is not read from the machine", can, async () => {
  const layers = join(directory.path, "users");
  fs.mkdirSync(join(layers, "upper/etc"), { recursive: true });
  fs.symlinkSync(victim, join(layers, "upper/link"));
  const swapper = spawn(
    process.execPath,
    [
      "-e",
      `const fs = require("node:fs"); console.log("up"); const [d, a, l] = ["etc", "aside", "link"].map((n) => ${JSON.stringify(join(layers, "upper"))} + "/" + n);
       for (;;) { fs.renameSync(d, a); fs.renameSync(l, d); fs.renameSync(d, l); fs.renameSync(a, d); }`,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  await once(swapper.stdout, "data");
  const rootfs = { kind: "overlay", base: layers, upper: "upper", work: "work", lower: [] } as const;
  try {
    await again(() => assert.doesNotMatch(userFiles(rootfs).passwd, /victim/));
  } finally {
    swapper.kill("SIGKILL");
    await once(swapper, "exit");
  }
});

test("filling a volume that a container has already writes to that volume only", can, async () => {
  const volumes = openVolumes({ root: join(directory.path, "engine"), runPlan });
  const image = join(directory.path, "image");
  fs.mkdirSync(join(image, "d"), { recursive: true });
  for (let number = 0; number < 200; number++)
    fs.writeFileSync(join(image, "d", `f${number}`), "of the image");
  for (const name of ["file", "secret"]) fs.writeFileSync(join(image, "d", name), "of the image");
  for (let round = 0; round < 8; round++) {
    const { Mountpoint } = await volumes.create({ name: `shared${round}` });
    const hostile = spawn(
      process.execPath,
      [
        "-e",
        `const fs = require("node:fs"); const at = ${JSON.stringify(Mountpoint)}; console.log("up");
         for (;;) try { fs.renameSync(at + "/d", at + "/../aside"); fs.symlinkSync(${JSON.stringify(victim)}, at + "/d"); break; } catch {}
         for (;;) {}`,
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    await once(hostile.stdout, "data");
    try {
      await volumes.fill(`shared${round}`, image).catch(() => undefined);
    } finally {
      hostile.kill("SIGKILL");
      await once(hostile, "exit");
    }
    assert.deepEqual(look(), untouched);
  }
});

import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { tarOf } from "../image/scratch.ts";
import { CAIS, command, type Ended } from "../support/cais.ts";
import { startEngine, type TestEngine } from "../support/engine.ts";
import { busyboxMissing, busyboxTar } from "../support/fixtures.ts";
import { needs, program, root } from "../support/skip.ts";

/** Every refusal is one clear sentence with Docker's exit code; nothing half-made is left, nothing is lost. */
const can = needs(root(), busyboxMissing());
const NONE = ["--network", "none"] as const;
let engine: TestEngine;
let directory: string;

before(async () => {
  if (can.skip !== undefined) return;
  directory = mkdtempSync(join(tmpdir(), "cais-bad-"));
  chmodSync(directory, 0o711);
  engine = await startEngine();
  await engine.ok(["import", busyboxTar(), "busybox"]);
});
after(async () => {
  await engine?.[Symbol.asyncDispose]();
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
});

/** The last line, which is the only one that is no progress, and the code. */
function refused({ code, stderr, stdout }: Ended, expected: number, says: RegExp): void {
  const lines = stderr.trim().split("\n");
  assert.match(lines.at(-1) ?? "", says);
  assert.equal(code, expected, stderr + stdout);
  assert.doesNotMatch(stderr, /\n\s+at |Error: Error|undefined|\[object/);
}

/** What there is: images, containers, volumes, and everything below the engine's root that could be left over. */
async function everything({ ok, root: home, run }: TestEngine): Promise<string[]> {
  const lists = await Promise.all([
    ok(["images", "-q", "--no-trunc"]),
    ok(["ps", "-aq"]),
    ok(["volume", "ls", "-q"]),
  ]);
  const folders = [
    "containers",
    "snapshots/overlay2/w",
    "snapshots/overlay2/l",
    "snapshots/overlay2/staging",
  ];
  return [
    ...lists,
    ...[...folders, "images", "programs"].map((name) => `${name}: ${readIn(join(home, name))}`),
    ...["containers", "execs"].map((name) => `run/${name}: ${readIn(join(run, name))}`),
  ];
}

const readIn = (path: string): string => (existsSync(path) ? readdirSync(path).sort().join(" ") : "");

/** Does something that must change nothing. */
async function unchanged(doing: () => Promise<void>): Promise<void> {
  const was = await everything(engine);
  await doing();
  assert.deepEqual(await everything(engine), was);
}

const images: readonly (readonly [name: string, says: RegExp])[] = [
  ["nosuch", /Cannot pull nosuch|No such image: nosuch:latest/],
  ["Bad Name", /invalid reference format/],
  ["busybox@sha256:12", /invalid reference format/],
];
for (const [name, says] of images) {
  test(`an image that is not there: ${name}`, can, () =>
    unchanged(async () => {
      refused(await engine.cais(["run", "--rm", ...NONE, name, "true"]), 125, says);
      refused(
        await engine.cais(["run", "--pull", "never", ...NONE, name, "true"]),
        125,
        /No such image|invalid/,
      );
    }),
  );
}

const evil: readonly (readonly [what: string, tar: Uint8Array, says: RegExp])[] = [
  ["a name with ..", tarOf({ name: "a/../../evil", data: "x" }), /"a\/\.\.\/\.\.\/evil": its name leads out/],
  ["an absolute name", tarOf({ name: "/etc/evil", data: "x" }), /"\/etc\/evil": its name is absolute/],
  [
    "an entry below a device",
    tarOf({ name: "sda", type: "block", major: 8, minor: 0 }, { name: "sda/x", data: "" }),
    /its parent sda is not a directory/,
  ],
  [
    "a file through a link",
    tarOf({ name: "up", type: "symlink", link: "/etc" }, { name: "up/evil", data: "x" }),
    /"up/,
  ],
  ["no archive at all", Buffer.from("hello"), /empty or truncated/],
  ["nothing", Buffer.alloc(0), /empty or truncated/],
];
for (const [what, tar, says] of evil) {
  test(`an archive with ${what} is refused by import and load`, can, () =>
    unchanged(async () => {
      const ended = await engine.cais(["import", "-", "evil"], { input: tar });
      if (what === "a file through a link" && ended.code === 0) {
        // A link of the layer itself leads to the layer's own /etc.
        assert.equal(existsSync("/etc/evil"), false);
        await engine.ok(["rmi", "evil"]);
        return;
      }
      refused(ended, 1, says);
      assert.equal((await engine.cais(["load"], { input: tar })).code, 1);
      assert.equal(existsSync("/etc/evil"), false);
    }),
  );
}

test("a truncated archive is refused, plain and compressed", can, () =>
  unchanged(async () => {
    const whole = readFileSync(busyboxTar());
    for (const [input, says] of [
      [whole.subarray(0, 200_000), /truncated/],
      [gzipSync(whole).subarray(0, 200_000), /truncated/],
    ] as const) {
      refused(await engine.cais(["import", "-", "cut"], { input }), 1, says);
    }
    const saved = join(directory, "saved.tar");
    await engine.ok(["save", "-o", saved, "busybox"]);
    const cut = readFileSync(saved);
    refused(await engine.cais(["load"], { input: cut.subarray(0, cut.length >> 1) }), 1, /truncated/);
  }),
);

test("a layer whose digest is another than its manifest says is refused", can, () =>
  unchanged(async () => {
    const saved = join(directory, "digest.tar");
    await engine.ok(["save", "-o", saved, "busybox"]);
    const bytes = readFileSync(saved);
    // One bit in the middle of the only large file: the layer.
    const middle = bytes.length >> 1;
    bytes[middle] = (bytes[middle] ?? 0) ^ 1;
    refused(await engine.cais(["load"], { input: bytes }), 1, /digest|sha256|damaged/i);
  }),
);

test(
  "an option that the kernel lacks is warned of or refused, with where it was looked for",
  can,
  async () => {
    const options = [
      ["--blkio-weight", "500"],
      ["--cpu-rt-runtime", "1000"],
      ["--memory-swappiness", "10"],
      ["--memory=48m", "--memory-swap=64m"],
      ["--cpu-shares", "512"],
    ];
    for (const option of options) {
      const { code, stderr } = await engine.cais(["run", "--rm", ...NONE, ...option, "busybox", "true"]);
      if (code === 0 && stderr === "") continue;
      assert.ok(code === 0 || code === 125, stderr);
      assert.match(stderr, /no [\w. ]+ in \/|looked in \/|cgroup v2 has nothing like it|cpu\.rt_runtime_us/);
    }
  },
);

test(
  "not root: the engine, and a command that would start one",
  needs(root(), program("setpriv", "util-linux")),
  async () => {
    const nobody = (...args: readonly string[]) =>
      command("setpriv", ["--reuid", "65534", "--regid", "65534", "--clear-groups", CAIS, ...args]);
    const home = ["--root", join(directory, "r"), "--run", join(directory, "n")];
    refused(await nobody(...home, "serve"), 125, /must be root.*sudo cais serve/);
    refused(await nobody(...home, "run", "--rm", "busybox", "true"), 125, /must be root/);
    refused(await nobody("--root", engine.root, "--run", engine.run, "ps"), 1, /permission denied.*root/);
  },
);

test("a second engine on the same root, or on the same socket, is refused", can, async () => {
  const second = join(directory, "second");
  refused(
    await command(CAIS, ["--root", engine.root, "--run", second, "serve"]),
    1,
    new RegExp(`another engine \\(process ${engine.pid()}\\) works on`),
  );
  refused(
    await command(CAIS, ["--root", join(directory, "other"), "--run", engine.run, "serve"]),
    1,
    /answers at .* already/,
  );
  assert.equal(existsSync(second), false);
  assert.equal(await engine.ok(["run", "--rm", ...NONE, "busybox", "echo", "alive"]), "alive");
});

test(
  "a name in use, a running container removed: refused, and the container stays as it is",
  can,
  async () => {
    const id = await engine.ok(["run", "-d", "--name", "taken", ...NONE, "busybox", "sleep", "1000"]);
    await unchanged(async () => {
      const create = (verb: readonly string[]) =>
        engine.cais([...verb, "--name", "taken", ...NONE, "busybox", "true"]);
      const inUse = new RegExp(
        `Conflict.*"/taken" is already in use by container "${id}".*remove \\(or rename\\)`,
      );
      refused(await create(["run", "-d"]), 125, inUse);
      refused(await create(["create"]), 1, inUse);
      refused(await engine.cais(["rm", "taken"]), 1, /cannot remove container.*running.*stop.*force/);
      refused(await engine.cais(["rmi", "busybox"]), 1, /conflict.*container/i);
      refused(await engine.cais(["rm", "nosuch"]), 1, /No such container: nosuch/);
    });
    assert.equal(await engine.ok(["inspect", "-f", "{{.State.Running}} {{.Id}}", "taken"]), `true ${id}`);
    await engine.ok(["rm", "-f", "taken"]);
  },
);

test("a file mounted on a directory, or the other way round: the sentence says so", can, () =>
  unchanged(async () => {
    const kinds = /file cannot be mounted on a directory, nor a directory on a file/;
    for (const [source, target] of [
      ["/etc/passwd", "/tmp"],
      ["/tmp", "/etc/passwd"],
    ] as const) {
      const ended = await engine.cais([
        "run",
        "--rm",
        ...NONE,
        "-v",
        `${source}:${target}`,
        "busybox",
        "true",
      ]);
      refused(ended, 125, kinds);
      assert.match(ended.stderr, new RegExp(`Cannot mount ${target} \\(-v ${source}:${target}\\)`));
    }
    refused(
      await engine.cais(["run", "--rm", ...NONE, "--tmpfs", "/etc/passwd", "busybox", "true"]),
      125,
      kinds,
    );
  }),
);

test("empty names, and what is no name, are refused by who reads them", can, () =>
  unchanged(async () => {
    for (const verb of ["stop", "rm", "kill", "wait", "inspect", "logs", "pause", "port", "top", "diff"])
      refused(await engine.cais([verb, ""]), 1, /^invalid container name or ID: value is empty$/);
    refused(await engine.cais(["rm", "-f", ""]), 1, /value is empty/);
    refused(await engine.cais(["exec", "", "true"]), 1, /value is empty/);
    refused(await engine.cais(["volume", "rm", ""]), 1, /^invalid volume name or ID: value is empty$/);
    refused(await engine.cais(["rmi", ""]), 1, /^invalid image name or ID: value is empty$/);
    for (const name of ["a:b:c", "Bad", "a b"]) {
      refused(
        await engine.cais(["tag", "busybox", name]),
        1,
        /^Cannot use ".*" as an image's name: invalid ref/,
      );
      refused(await engine.cais(["import", busyboxTar(), name]), 1, /^Cannot use/);
    }
    refused(await engine.cais(["import", directory]), 1, /^Cannot read .*: it is a directory/);
    refused(await engine.cais(["load", "-i", directory]), 1, /^Cannot read .*: it is a directory/);
    refused(
      await engine.cais(["create", "-l", "=x", "busybox", "true"]),
      125,
      /invalid label '=x': empty name/,
    );
    const file = join(directory, "latin1.env");
    writeFileSync(file, Buffer.from("A=caf\xe9\n", "latin1"));
    refused(await engine.cais(["create", "--env-file", file, "busybox", "true"]), 125, /no UTF-8/);
    refused(
      await engine.cais(["run", "--rm", ...NONE, "busybox", ""]),
      127,
      /exec: "": executable file not found/,
    );
  }),
);

/** Resolves when the output of a command ends with `text`. */
function said(child: ChildProcess | undefined, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let tail = "";
    child?.stdout?.on("data", (chunk: string) => {
      tail = (tail + chunk).slice(-text.length);
      if (tail === text) resolve();
    });
    child?.once("close", () => reject(new Error(`It ended without ${JSON.stringify(text)}`)));
  });
}

test("a full disk: one sentence each, the engine and what was there live on", can, async () => {
  const wrapper = join(directory, "cais-small");
  // The engine alone sees the small file system: it goes with it.
  writeFileSync(
    wrapper,
    `#!/bin/sh
case "$*" in *" serve"*) ;; *) exec '${CAIS}' "$@" ;; esac
mkdir -p "$2"
exec unshare -m sh -c 'mount -t tmpfs -o size=12m,mode=711 none "$2" && exec "$0" "$@"' '${CAIS}' "$@"
`,
    { mode: 0o755 },
  );
  await using small = await startEngine([], wrapper);
  await small.ok(["import", busyboxTar(), "busybox"]);
  await small.ok(["create", "--name", "before", ...NONE, "busybox", "true"]);
  const was = (await small.ok(["images", "-q"])) + (await small.ok(["ps", "-aq"]));
  const script =
    "dd if=/dev/zero of=/fill bs=4k 2>/dev/null; echo full; read go; seq 1 20000; read go; rm /fill";
  let filler: ChildProcess | undefined;
  const filled = small.cais(["run", "-i", "--name", "filler", ...NONE, "busybox", "sh", "-c", script], {
    started: (child) => {
      filler = child;
    },
  });
  await said(filler, "full\n");
  // Output is passed on although nothing of it can be kept.
  filler?.stdin?.write("go\n");
  await said(filler, "20000\n");

  const full = /no space left on device/i;
  refused(await small.cais(["import", busyboxTar(), "again"], {}), 1, full);
  refused(await small.cais(["commit", "filler", "kept"]), 1, full);
  const created = await small.cais(["create", "--name", "late", ...NONE, "busybox", "true"]);
  if (created.code === 0) await small.ok(["rm", "late"]);
  else refused(created, 1, full);
  const ran = await small.cais(["run", "--rm", ...NONE, "busybox", "true"]);
  if (ran.code !== 0) refused(ran, 125, full);

  filler?.stdin?.end("go\n");
  const { code, stdout } = await filled;
  assert.equal(code, 0);
  assert.equal(stdout, `full\n${Array.from({ length: 20000 }, (_, index) => `${index + 1}\n`).join("")}`);
  await small.ok(["rm", "filler"]);
  assert.equal((await small.ok(["images", "-q"])) + (await small.ok(["ps", "-aq"])), was);
  assert.equal(await small.ok(["run", "--rm", ...NONE, "busybox", "echo", "again"]), "again");
});

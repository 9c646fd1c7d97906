import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { CAIS, command } from "../support/cais.ts";
import { startEngine, type TestEngine } from "../support/engine.ts";
import { debianMissing, debianTar } from "../support/fixtures.ts";
import { freePort } from "../support/port.ts";
import { needs, program, root } from "../support/skip.ts";

/**
 * LXC: a container from a directory that is a root file system, with an fstab-like list of read-only bind
 * mounts, running sshd and reached through it.
 */
const can = needs(
  root(),
  debianMissing(),
  program("ssh", "openssh-client"),
  program("ssh-keygen", "openssh-client"),
);
let engine: TestEngine;
let home: string;

before(async () => {
  if (can.skip !== undefined) return;
  home = mkdtempSync(join(tmpdir(), "cais-lxc-"));
  const rootfs = join(home, "rootfs");
  mkdirSync(rootfs);
  spawnSync("tar", ["-C", rootfs, "-xpf", debianTar()]);
  spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(home, "key")]);
  mkdirSync(join(rootfs, "root/.ssh"), { mode: 0o700, recursive: true });
  writeFileSync(join(rootfs, "root/.ssh/authorized_keys"), readFileSync(join(home, "key.pub")), {
    mode: 0o600,
  });
  mkdirSync(join(rootfs, "run/sshd"), { mode: 0o755, recursive: true });

  engine = await startEngine([], CAIS, undefined, "machine");
  const pack = spawn("tar", ["-C", rootfs, "-cf", "-", "."], { stdio: ["ignore", "pipe", "inherit"] });
  await engine.ok(["import", "-", "lxc"], {
    started: (child) => child.stdin && pack.stdout.pipe(child.stdin),
  });
});
after(async () => {
  await engine?.[Symbol.asyncDispose]();
  if (home !== undefined) rmSync(home, { recursive: true, force: true });
});

/** The list that lxc.mount.entry has: source, target, type, options. */
const fstab = (directory: string): string => `
# what           where              type  options
${directory}/share  mnt/share          none  ro,bind,create=dir
${directory}/motd   etc/motd           none  ro,bind,create=file
/usr/share/zoneinfo mnt/zoneinfo     none  ro,rbind
`;

/** An fstab-like line as `--mount`. */
function mountOptions(list: string): string[] {
  return list
    .split("\n")
    .map((line) => line.replace(/#.*/, "").trim().split(/\s+/))
    .filter((fields) => fields.length >= 4)
    .flatMap(([source, target, , options]) => {
      const readonly = options?.split(",").includes("ro") ? ",readonly" : "";
      return ["--mount", `type=bind,source=${source},target=/${target}${readonly}`];
    });
}

test("the mounts of the list are there and are read-only", can, async () => {
  mkdirSync(join(home, "share"), { recursive: true });
  writeFileSync(join(home, "share/file"), "shared\n");
  writeFileSync(join(home, "motd"), "welcome to the quay\n");
  const run = ["run", "--rm", "--network", "none", ...mountOptions(fstab(home)), "lxc"];

  assert.equal(
    await engine.ok([...run, "cat", "/mnt/share/file", "/etc/motd"]),
    "shared\nwelcome to the quay",
  );
  for (const path of ["/mnt/share/new", "/etc/motd", "/mnt/zoneinfo/new"]) {
    const refused = await engine.cais([...run, "sh", "-c", `echo x > ${path}`]);
    assert.notEqual(refused.code, 0, path);
    assert.match(refused.stderr, /Read-only file system/, path);
  }
  assert.equal(readFileSync(join(home, "motd"), "utf8"), "welcome to the quay\n");
  const missing = await engine.cais([
    "run",
    "--rm",
    "--mount",
    "type=bind,source=/no/such,target=/x",
    "lxc",
    "true",
  ]);
  assert.equal(missing.code, 125);
  assert.match(missing.stderr, /\/no\/such/);
});

test("sshd runs in it and lets the owner of the key in", can, async () => {
  const port = await freePort();
  const listen = ["-o", "ListenAddress=127.0.0.1", "-p", String(port)];
  const sshd = ["/usr/sbin/sshd", "-D", "-e", ...listen];
  // The machine's network: bridges are another piece of work.
  const options = ["--network", "host", "--hostname", "quay", ...mountOptions(fstab(home))];
  await engine.ok(["run", "-d", "--name", "server", ...options, "lxc", ...sshd]);
  await listening(engine, "server");

  const ssh = (...words: readonly string[]) =>
    command("ssh", [
      ...[
        "-i",
        join(home, "key"),
        "-p",
        String(port),
        "-o",
        "BatchMode=yes",
        "-o",
        "StrictHostKeyChecking=no",
      ],
      ...[
        "-o",
        `UserKnownHostsFile=${join(home, "known")}`,
        "-o",
        "LogLevel=ERROR",
        "root@127.0.0.1",
        ...words,
      ],
    ]);
  assert.deepEqual(await ssh("hostname; cat /proc/1/comm; cat /etc/motd"), {
    code: 0,
    stdout: "quay\nsshd\nwelcome to the quay\n",
    stderr: "",
  });
  assert.equal((await ssh("exit 7")).code, 7);
  // A login is a terminal of the container's own devpts.
  assert.match((await ssh("-tt", "tty")).stdout, /^\/dev\/pts\/\d+/);

  assert.equal((await engine.cais(["stop", "server"])).code, 0);
  assert.notEqual((await ssh("true")).code, 0);
  await engine.ok(["rm", "server"]);
});

/** Resolves when sshd has said that it listens; it does so on stderr. */
async function listening(on: TestEngine, name: string): Promise<void> {
  const follow = spawn(CAIS, ["logs", "-f", name], { env: on.env, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  for await (const chunk of follow.stderr) {
    said += String(chunk);
    if (said.includes("Server listening")) {
      const ended = once(follow, "exit");
      follow.kill();
      await ended;
      return;
    }
  }
  throw new Error(`sshd ended: ${said}`);
}

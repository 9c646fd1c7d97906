import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { program, root } from "./skip.ts";

/** Where fixtures are kept between runs; ignored by git. */
const CACHE = resolve(import.meta.dirname, "../../.cache/fixtures");
const MIRROR = "http://deb.debian.org/debian";
/** sshd for the tutorial that logs in, ps and ip for those that look around. */
const DEBIAN_EXTRAS = "openssh-server,procps,iproute2";

/** Why there is no busybox root file system, or undefined. */
export function busyboxMissing(): string | undefined {
  return program("busybox", "busybox-static");
}

/** Why there is no Debian root file system, or undefined. A failed attempt is not repeated in one run. */
export function debianMissing(): string | undefined {
  if (existsSync(debianFile())) return undefined;
  return (
    root() ??
    program("debootstrap") ??
    (process.env.CAIS_TEST_NO_DEBIAN ? "debootstrap failed: no Debian mirror?" : undefined)
  );
}

/** Tar of a root file system with a static busybox and all its commands; made at the first call. */
export function busyboxTar(): string {
  return cached("busybox.tar", (directory) => {
    for (const name of ["bin", "dev", "etc", "home", "proc", "root", "sys", "tmp", "usr/bin", "var/log"]) {
      mkdirSync(join(directory, name), { recursive: true });
    }
    chmodSync(join(directory, "tmp"), 0o1777);
    chmodSync(join(directory, "root"), 0o700);
    writeFileSync(join(directory, "etc/passwd"), USERS);
    writeFileSync(join(directory, "etc/group"), GROUPS);
    run("sh", ["-c", 'cp "$(command -v busybox)" "$1"', "sh", join(directory, "bin/busybox")]);
    for (const command of run("busybox", ["--list"]).split("\n")) {
      if (command !== "" && command !== "busybox") symlinkSync("busybox", join(directory, "bin", command));
    }
  });
}

/** Tar of Debian 12 with openssh-server, made by debootstrap at the first call: one to two minutes. */
export function debianTar(): string {
  return cached("debian.tar", (directory) => {
    const args = ["--variant=minbase", `--include=${DEBIAN_EXTRAS}`, "bookworm", directory, MIRROR];
    // debootstrap leaves /proc mounted in its target: in a mount namespace of its own nobody sees it.
    run("unshare", ["-m", "debootstrap", ...args]);
    rmSync(join(directory, "var/cache/apt/archives"), { recursive: true, force: true });
  });
}

/** Why there is no root file system with services, or undefined. */
export function servicesMissing(): string | undefined {
  return existsSync(join(CACHE, "services.tar")) ? undefined : debianMissing();
}

/** Tar of Debian 12 with PostgreSQL and Redis, without what they do not need to run; made as `debianTar`. */
export function servicesTar(): string {
  return cached("services.tar", (directory) => {
    const args = ["--variant=minbase", "--include=postgresql,redis-server", "bookworm", directory, MIRROR];
    run("unshare", ["-m", "debootstrap", ...args]);
    // The compiler of queries is half of it.
    const spared = ["var/cache/apt/archives", "usr/share/doc", "usr/share/locale", "usr/lib/llvm-14"];
    for (const path of spared) rmSync(join(directory, path), { recursive: true, force: true });
    for (const name of globSync("usr/lib/*/libLLVM*", { cwd: directory })) rmSync(join(directory, name));
  });
}

/** Why there is no root file system with servers and clients of the network, or undefined. */
export function serversMissing(): string | undefined {
  return existsSync(join(CACHE, "servers.tar")) ? undefined : debianMissing();
}

/** Tar of Debian 12 with nginx, and with curl, ping, dig and iperf3; made as `debianTar`. */
export function serversTar(): string {
  return cached("servers.tar", (directory) => {
    const programs = "nginx,curl,iputils-ping,bind9-dnsutils,iperf3";
    const args = ["--variant=minbase", `--include=${programs}`, "bookworm", directory, MIRROR];
    run("unshare", ["-m", "debootstrap", ...args]);
    const spared = ["var/cache/apt/archives", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale"];
    for (const path of spared) rmSync(join(directory, path), { recursive: true, force: true });
  });
}

function debianFile(): string {
  return join(CACHE, "debian.tar");
}

/** Makes the file from what `fill` puts into a directory; a half made one never has the name. */
function cached(name: string, fill: (directory: string) => void): string {
  const file = join(CACHE, name);
  if (existsSync(file)) return file;
  mkdirSync(CACHE, { recursive: true });
  const directory = mkdtempSync(join(CACHE, "half-"));
  try {
    chmodSync(directory, 0o755);
    fill(directory);
    const half = `${directory}.tar`;
    const owner = ["--numeric-owner", "--xattrs", "--sort=name"];
    run("tar", [...owner, "-C", directory, "-cf", half, "."]);
    renameSync(half, file);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return file;
}

function run(name: string, args: readonly string[]): string {
  const result = spawnSync(name, args, { encoding: "utf8", maxBuffer: 64 << 20 });
  if (result.status === 0) return result.stdout;
  const last = `${result.stdout}\n${result.stderr}`.trim().split("\n").slice(-3).join("\n");
  throw new Error(`Cannot make a fixture: ${name} ended with ${result.status}: ${last}`);
}

const USERS = `root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
www:x:1000:1000:a person:/home:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/bin/false
`;
const GROUPS = `root:x:0:
daemon:x:1:
audio:x:29:www
www:x:1000:
nogroup:x:65534:
`;

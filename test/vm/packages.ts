import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Arch } from "../../src/kernel/arch.ts";
import { ROOT } from "../../tools/check/sources.ts";

/** Debian's names for an architecture. */
const DEBIAN: Readonly<Record<Arch, string>> = { x86_64: "amd64", aarch64: "arm64" };

/** What a guest is made of. */
export interface Guest {
  readonly kernel: string;
  readonly modules: string;
  /** A static busybox. */
  readonly busybox: string;
}

/**
 * Debian's kernel for virtual machines and its static busybox for `arch`, unpacked in the cache, not
 * installed. apt gets directories of its own, so that this machine's package lists and foreign architectures
 * stay as they are. Throws with one sentence when they cannot be had.
 */
export function guestPackages(arch: Arch): Guest {
  const directory = join(ROOT, ".cache/vm", arch);
  if (!existsSync(directory))
    fetchInto(directory, DEBIAN[arch], (apt) => {
      const meta = `linux-image-cloud-${DEBIAN[arch]}`;
      const image = /Depends: (linux-image-\S+)/.exec(apt("apt-cache", "depends", meta))?.[1];
      if (image === undefined) throw new Error(`Cannot fetch a kernel: apt knows no ${meta}`);
      apt("apt-get", "-q", "download", image, "busybox-static");
    });
  const [kernel, modules, busybox] = ["boot/vmlinuz-*", "lib/modules/*", "bin/busybox"].map(
    (pattern) => globSync(pattern, { cwd: directory })[0],
  );
  if (kernel === undefined || modules === undefined || busybox === undefined)
    throw new Error(`Cannot boot a virtual machine: ${directory} is incomplete, remove it`);
  const at = (path: string) => join(directory, path);
  return { kernel: at(kernel), modules: at(modules), busybox: at(busybox) };
}

/**
 * Debian's systemd, AppArmor's compiler of policies and all that they need, unpacked in the cache.
 * @returns the directory
 */
export function systemdPackages(arch: Arch): string {
  const directory = join(ROOT, ".cache/vm", `systemd-${arch}`);
  if (!existsSync(directory))
    fetchInto(directory, DEBIAN[arch], (apt) =>
      apt(
        "apt-get",
        "-qy",
        "--no-install-recommends",
        "--download-only",
        "install",
        "systemd",
        "apparmor",
        "checkpolicy",
        "dbus-daemon",
        "dbus-system-bus-common",
      ),
    );
  return directory;
}

/** Runs one of apt's programs where it downloads to. */
type Apt = (program: string, ...args: readonly string[]) => string;

/** Run `download`, and unpack the packages that it has left into `directory`. */
export function fetchInto(directory: string, arch: string, download: (apt: Apt) => void): void {
  const temporary = `${directory}.${process.pid}`;
  const apt = join(temporary, "apt");
  for (const each of ["lists/partial", "cache/archives/partial", "debs", "root"])
    mkdirSync(join(apt, each), { recursive: true });
  writeFileSync(join(apt, "status"), "");
  writeFileSync(join(apt, "sources.list"), sources(arch));
  const options = {
    "APT::Architecture": arch,
    "APT::Architectures": arch,
    "Acquire::Languages": "none",
    "Dir::State": apt,
    "Dir::State::status": join(apt, "status"),
    "Dir::Cache": join(apt, "cache"),
    "Dir::Etc::sourcelist": join(apt, "sources.list"),
    "Dir::Etc::sourceparts": "-",
    "APT::Sandbox::User": "root",
  };
  const flags = Object.entries(options).map(([name, value]) => `-o${name}=${value}`);
  try {
    run("apt-get", [...flags, "-q", "update"], apt);
    download((program, ...args) => run(program, [...flags, ...args], join(apt, "debs")));
    for (const deb of globSync("{debs,cache/archives}/*.deb", { cwd: apt }))
      run("dpkg", ["-x", join(apt, deb), join(apt, "root")], apt);
    // Another test file may have been first.
    if (!existsSync(directory)) renameSync(join(apt, "root"), directory);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** The Debian archives this machine uses, for another architecture. */
function sources(arch: string): string {
  const format = "$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)";
  const listed = run("apt-get", ["indextargets", "--format", format, "Created-By: Packages"], "/");
  const lines = new Set(
    listed.split("\n").flatMap((line) => {
      const [uri, release, component, origin] = line.split(" ");
      if (origin !== "Debian" || component !== "main") return [];
      return [`deb [arch=${arch} signed-by=${KEYRING}] ${uri} ${release} main`];
    }),
  );
  if (lines.size === 0) throw new Error("Cannot fetch packages: this machine has no Debian package lists");
  return `${[...lines].join("\n")}\n`;
}

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

function run(program: string, args: readonly string[], cwd: string): string {
  const result = spawnSync(program, args, { cwd, encoding: "utf8", env: { ...process.env, LC_ALL: "C" } });
  if (result.error) throw new Error(`Cannot fetch packages: no ${program} here`);
  if (result.status === 0) return result.stdout;
  const reason = result.stderr
    .trim()
    .split("\n")
    .findLast((line) => line.startsWith("E:"));
  throw new Error(`Cannot fetch packages: ${program}: ${reason ?? `status ${result.status}`}`);
}

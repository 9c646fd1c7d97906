import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** Where the peers are kept, beside the fixtures; nothing of it is installed on the machine. */
export const PEERS = resolve(import.meta.dirname, "../../.cache/peers");

/** Debian's unstable has a current Docker; its programs need glibc 2.34 and run on bookworm (2.36). */
const SUITE = "sid";
const PACKAGES = ["docker.io", "docker-cli", "containerd", "tini-static"] as const;
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
const MIRROR = "http://deb.debian.org/debian";

/** Directories to put in front of PATH so that the peers are found, unpacked ones first. */
export function peerPath(): string {
  const docker = join(PEERS, "docker");
  const own = ["usr/sbin", "usr/bin", "usr/libexec/docker"]
    .map((dir) => join(docker, dir))
    .filter(existsSync);
  return [...own, process.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin"].join(":");
}

/**
 * Unpacks Docker from Debian's unstable into `.cache/peers/docker`; does nothing when it is there.
 * Returns why not, as one sentence, where apt or the network is missing: Debian's own docker.io is then used.
 */
export function installDocker(): string | undefined {
  const target = join(PEERS, "docker");
  if (existsSync(target)) return undefined;
  const apt = join(PEERS, "apt");
  mkdirSync(join(apt, "lists/partial"), { recursive: true });
  mkdirSync(join(apt, "cache/archives/partial"), { recursive: true });
  writeFileSync(join(apt, "sources.list"), `deb [signed-by=${KEYRING}] ${MIRROR} ${SUITE} main\n`);
  const options = [
    `Dir::Etc::sourcelist=${apt}/sources.list`,
    "Dir::Etc::sourceparts=/dev/null",
    `Dir::State::lists=${apt}/lists`,
    `Dir::Cache=${apt}/cache`,
    "APT::Sandbox::User=root",
  ].flatMap((option) => ["-o", option]);

  const failure =
    run("apt-get", [...options, "-q", "update"], apt) ??
    run("apt-get", [...options, "-q", "download", ...PACKAGES], apt);
  if (failure !== undefined) return `Cannot fetch a current Docker: ${failure}`;

  const half = `${target}.half`;
  rmSync(half, { recursive: true, force: true });
  for (const file of readdirSync(apt).filter((name) => name.endsWith(".deb"))) {
    const unpacking = run("dpkg", ["-x", join(apt, file), half], apt);
    if (unpacking !== undefined) return `Cannot unpack ${file}: ${unpacking}`;
  }
  const runs = spawnSync(join(half, "usr/sbin/dockerd"), ["--version"]);
  if (runs.status !== 0) {
    rmSync(half, { recursive: true, force: true });
    return `Cannot run the current Docker here: ${runs.stderr}`;
  }
  renameSync(half, target);
  rmSync(apt, { recursive: true, force: true });
  return undefined;
}

/** The program's path and version as it says it, or undefined when it is not there. */
export function peerVersion(program: string): string | undefined {
  const result = spawnSync(program, ["--version"], { env: { PATH: peerPath() }, encoding: "utf8" });
  return result.status === 0 ? result.stdout.split("\n")[0] : undefined;
}

function run(program: string, args: readonly string[], cwd: string): string | undefined {
  const result = spawnSync(program, args, { cwd, encoding: "utf8" });
  if (result.error) return `${program} is not there`;
  if (result.status === 0) return undefined;
  return result.stderr.trim().split("\n").at(-1) ?? `${program} ended with ${result.status}`;
}

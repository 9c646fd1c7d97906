import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** Where the peers are kept, beside the fixtures; nothing of it is installed on the machine. */
export const PEERS = resolve(import.meta.dirname, "../../.cache/peers");

/** Debian's unstable has a current Docker; its programs need glibc 2.34 and run on bookworm (2.36). */
const SUITE = "sid";
const PACKAGES = ["docker.io", "docker-cli", "containerd", "tini-static"] as const;
const MOUNT_PACKAGES = ["mount", "libmount1", "libblkid1", "libselinux1", "libpcre2-8-0", "libc6"] as const;
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
  return install("docker", PACKAGES, (directory) => {
    const runs = spawnSync(join(directory, "usr/sbin/dockerd"), ["--version"]);
    return runs.status === 0 ? undefined : `Cannot run the current Docker here: ${runs.stderr}`;
  });
}

/** Where a current mount(8) is once `installMount` has said nothing: a directory to put in front of PATH. */
export const CURRENT_MOUNT = join(PEERS, "mount/bin");

/** Unpacks mount(8) from Debian's unstable with the libraries it needs. Returns why not, as one sentence. */
export function installMount(): string | undefined {
  return install("mount", MOUNT_PACKAGES, (directory) => {
    const find = (name: string) =>
      readdirSync(directory, { recursive: true, encoding: "utf8" }).find((path) => path.endsWith(`/${name}`));
    const libc = find("libc.so.6");
    const loader = readdirSync(join(directory, dirname(libc ?? "")))
      .filter((name) => name.startsWith("ld-linux"))
      .at(0);
    const mount = find("bin/mount");
    if (libc === undefined || loader === undefined || mount === undefined)
      return "Cannot find mount in its package";
    mkdirSync(join(directory, "bin"));
    // By way of its own place: a checkout may be moved.
    const libraries = `"$here/${dirname(libc)}"`;
    const words = `exec ${libraries}/${loader} --library-path ${libraries} "$here/${mount}" "$@"`;
    writeFileSync(join(directory, "bin/mount"), `#!/bin/sh\nhere=\${0%/*}/..\n${words}\n`, { mode: 0o755 });
    return undefined;
  });
}

/** Docker Compose, a program of its own. Returns why it cannot be had, as one sentence. */
export function installCompose(): string | undefined {
  return install("compose", ["docker-compose"], (directory) => {
    const runs = spawnSync(join(directory, COMPOSE), ["version"]);
    return runs.status === 0 ? undefined : `Cannot run the current Compose here: ${runs.stderr}`;
  });
}

const COMPOSE = "usr/libexec/docker/cli-plugins/docker-compose";
/** Compose itself once `installCompose` has said nothing. */
export const composeProgram = join(PEERS, "compose", COMPOSE);

/** Docker's client for Python and what it imports; the interpreter is the machine's. Returns as `installMount`. */
export function installPython(): string | undefined {
  return install("python", PYTHON_PACKAGES, (directory) => {
    const env = { PYTHONPATH: join(directory, PYTHON_LIBRARY), PATH: process.env.PATH };
    const runs = spawnSync("python3", ["-c", "import docker"], { env });
    return runs.status === 0 ? undefined : `Cannot use Docker's client for Python here: ${runs.stderr}`;
  });
}

const PYTHON_PACKAGES = [
  "python3-docker",
  "python3-requests",
  "python3-urllib3",
  "python3-idna",
  "python3-certifi",
  "python3-charset-normalizer",
  "python3-packaging",
];
const PYTHON_LIBRARY = "usr/lib/python3/dist-packages";
/** For PYTHONPATH. */
export const pythonLibrary = join(PEERS, "python", PYTHON_LIBRARY);

/** @param ready makes the unpacked packages ready for use, or says why they are of none */
function install(
  name: string,
  packages: readonly string[],
  ready: (directory: string) => string | undefined,
): string | undefined {
  const target = join(PEERS, name);
  if (existsSync(target)) return undefined;
  const apt = join(PEERS, `${name}.apt`);
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
    run("apt-get", [...options, "-q", "download", ...packages], apt);
  if (failure !== undefined) return `Cannot fetch a current ${name}: ${failure}`;

  const half = `${target}.half`;
  rmSync(half, { recursive: true, force: true });
  for (const file of readdirSync(apt).filter((each) => each.endsWith(".deb"))) {
    const unpacking = run("dpkg", ["-x", join(apt, file), half], apt);
    if (unpacking !== undefined) return `Cannot unpack ${file}: ${unpacking}`;
  }
  const wrong = ready(half);
  if (wrong !== undefined) {
    rmSync(half, { recursive: true, force: true });
    return wrong;
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

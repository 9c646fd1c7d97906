import { spawnSync } from "node:child_process";

/** Programs that tests use, and the Debian packages that have them. What is on PATH is not installed. */
const PROGRAMS: Readonly<Record<string, string>> = {
  busybox: "busybox-static",
  cc: "gcc libc6-dev",
  curl: "curl",
  debootstrap: "debootstrap",
  dig: "bind9-dnsutils",
  fincore: "util-linux-extra",
  ip: "iproute2",
  nft: "nftables",
  python3: "python3",
  "qemu-aarch64-static": "qemu-user-static",
  "qemu-system-aarch64": "qemu-system-arm",
  "qemu-system-x86_64": "qemu-system-x86",
  setfattr: "attr",
  ssh: "openssh-client",
  strace: "strace",
  unshare: "util-linux",
  xz: "xz-utils",
  zstd: "zstd",
};

/**
 * Installs what is missing, where that is possible: as root, with apt. Returns why it was not, as a sentence;
 * the tests that need it are then skipped, each with its own reason.
 */
export function installPackages(): string | undefined {
  const missing = Object.entries(PROGRAMS)
    .filter(([program]) => spawnSync("sh", ["-c", 'command -v "$1"', "sh", program]).status !== 0)
    .flatMap(([, debianPackages]) => debianPackages.split(" "));
  if (missing.length === 0) return undefined;
  const names = missing.join(" ");
  if (process.geteuid?.() !== 0) return `Not root: ${names} not installed`;

  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const apt = (...args: string[]) => spawnSync("apt-get", ["-q", ...args], { env, encoding: "utf8" });
  const install = () => apt("install", "-y", "--no-install-recommends", ...missing);
  console.log(`Installing ${names}`);
  // A fresh machine has no package lists; one that has been used need not fetch them.
  let result = install();
  if (result.status !== 0 && apt("update").status === 0) result = install();
  if (result.error) return `No apt-get here: ${names} not installed`;
  if (result.status !== 0) return `Cannot install ${names}: ${result.stderr.trim().split("\n").at(-1)}`;
  return undefined;
}

import { spawn, spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { type Arch, hostArch } from "../../src/kernel/arch.ts";
import { cpio, type Entry } from "./cpio.ts";
import { type Files, host, merged, text, tree, withLibraries } from "./files.ts";
import { BEGIN, END, INIT, RUN, RUN_COMMAND, stage2 } from "./init.ts";
import { moduleFiles } from "./modules.ts";
import { type Guest, guestPackages } from "./packages.ts";

/** A command for a virtual machine of its own. */
export interface VmOptions {
  /** Lines for the guest's busybox shell. */
  readonly command: string;
  /** What it needs beside busybox. */
  readonly files?: Files;
  /** This machine's unless named. */
  readonly arch?: Arch;
  /** Kernel modules, with what they need; one that is built in is no error. */
  readonly modules?: readonly string[];
  /** What becomes process 1, with its arguments, and runs `/run-command` some time; the shell unless named. */
  readonly init?: string;
  /** Added to the kernel's command line. */
  readonly kernelArgs?: readonly string[];
  /** MiB. */
  readonly memory?: number;
  readonly processors?: number;
  readonly timeoutSeconds?: number;
}

export interface VmResult {
  /** The command's exit status. */
  readonly status: number;
  /** What it wrote, stdout and stderr together. */
  readonly output: string;
  /** From power-on to power-off. */
  readonly seconds: number;
}

const MACHINES: Readonly<Record<Arch, { program: string; args: string[]; console: string }>> = {
  x86_64: { program: "qemu-system-x86_64", args: ["-M", "q35"], console: "ttyS0" },
  aarch64: { program: "qemu-system-aarch64", args: ["-M", "virt"], console: "ttyAMA0" },
};

/** Debian packages with the emulators, for those who read why a test was skipped. */
const PACKAGES: Readonly<Record<Arch, string>> = { x86_64: "qemu-system-x86", aarch64: "qemu-system-arm" };

const guests = new Map<Arch, Guest | string>();

/** Why there can be no virtual machine of `arch` here, as a reason to skip; fetches what it is made of. */
export function vmMissing(arch: Arch = hostArch()): string | undefined {
  const { program } = MACHINES[arch];
  if (spawnSync(program, ["--version"]).status !== 0)
    return `${program} is not there (Debian: ${PACKAGES[arch]})`;
  const guest = guestOf(arch);
  return typeof guest === "string" ? guest : undefined;
}

function guestOf(arch: Arch): Guest | string {
  let guest = guests.get(arch);
  if (guest === undefined) {
    try {
      guest = guestPackages(arch);
    } catch (error) {
      guest = error instanceof Error ? error.message : String(error);
    }
    guests.set(arch, guest);
  }
  return guest;
}

/** A static busybox for guests of `arch`, as the whole of a container's image. */
export function guestBusybox(arch: Arch): string {
  const guest = guestOf(arch);
  if (typeof guest === "string") throw new Error(guest);
  return guest.busybox;
}

/** bun, this repository's sources and tests, and the packages it needs to run, in `/cais`: for guests of this machine's architecture. */
export function repository(root: string): Files {
  const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  const packages = Object.keys(dependencies).filter((name) => name !== "bun");
  return merged(
    withLibraries(process.execPath, "/bin/bun"),
    ...packages.map((name) => tree(join(root, "node_modules", name), `/cais/node_modules/${name}`)),
    tree(join(root, "src"), "/cais/src"),
    tree(join(root, "test"), "/cais/test", "**/*.ts"),
    tree(join(root, "tools"), "/cais/tools", "**/*.ts"),
    new Map([["/cais/package.json", host(join(root, "package.json"))]]),
  );
}

/**
 * Boot Debian's cloud kernel with an initrd of `files` and busybox, run the command, power off. The processor is
 * emulated, so this needs no virtualisation and takes seconds. Rejects when the guest does not come up, does
 * not end in time, or dies; the message has the end of its console.
 */
export async function runInVm(options: VmOptions): Promise<VmResult> {
  const arch = options.arch ?? hostArch();
  const guest = guestOf(arch);
  if (typeof guest === "string") throw new Error(guest);
  const directory = mkdtempSync(join(tmpdir(), "cais-vm-"));
  try {
    const initrd = join(directory, "initrd");
    writeFileSync(initrd, cpio(base(guest, options)));
    if (options.files !== undefined) appendFileSync(initrd, cpio(options.files));
    const started = performance.now();
    const output = await boot(arch, guest, initrd, options);
    return { ...output, seconds: (performance.now() - started) / 1000 };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function base(guest: Guest, { command, init = RUN, modules = [] }: VmOptions): Files {
  const loaded = moduleFiles(guest.modules, modules);
  const inGuest = (path: string) => `/modules/${basename(path)}`;
  return new Map<string, Entry>([
    ["/init", text(INIT, 0o755)],
    ["/stage2", text(stage2(init), 0o755)],
    ["/run-command", text(RUN_COMMAND)],
    ["/bin/busybox", host(guest.busybox)],
    ["/command", text(`${command}\n`)],
    ["/modules.list", text(loaded.map((path) => `${inGuest(path)}\n`).join(""))],
    ...loaded.map((path): [string, Entry] => [inGuest(path), host(path)]),
  ]);
}

function boot(
  arch: Arch,
  guest: Guest,
  initrd: string,
  options: VmOptions,
): Promise<Omit<VmResult, "seconds">> {
  const { program, args, console } = MACHINES[arch];
  const { memory = 1024, processors = 1, kernelArgs = [], timeoutSeconds = 120 } = options;
  const kernel = [`console=${console}`, "quiet", "panic=-1", "random.trust_cpu=on", ...kernelArgs].join(" ");
  const machine = ["-accel", "tcg", "-cpu", "max", "-m", `${memory}`, "-smp", `${processors}`];
  const quiet = ["-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio"];
  const images = ["-kernel", guest.kernel, "-initrd", initrd, "-append", kernel];
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args, ...machine, ...quiet, ...images], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let console = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (console += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (console += chunk));
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, timeoutSeconds * 1000);
    const end = () => child.kill("SIGKILL");
    process.once("exit", end);
    child.on("error", reject);
    child.on("close", () => {
      clearTimeout(timer);
      process.off("exit", end);
      const from = console.indexOf(BEGIN) + BEGIN.length;
      const match = END.exec(console);
      if (match !== null) resolve({ status: Number(match[1]), output: console.slice(from, match.index) });
      else {
        const what = late ? `was not done after ${timeoutSeconds} s` : "died";
        reject(new Error(`The virtual machine ${what}; the end of its console:\n${console.slice(-4000)}`));
      }
    });
  });
}

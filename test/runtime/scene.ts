import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { constants, tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { RuntimeSpec } from "../../src/oci/runtime/spec.ts";
import { CAIS, type CommandOptions, type Ended } from "../support/cais.ts";
import { busyboxTar } from "../support/fixtures.ts";
import { root } from "../support/skip.ts";

/** What a test changes of the configuration that `runc spec` writes, without its terminal. */
export interface Wanted {
  readonly args?: readonly string[];
  readonly process?: Partial<NonNullable<RuntimeSpec["process"]>>;
  readonly linux?: Partial<NonNullable<RuntimeSpec["linux"]>>;
  readonly spec?: Partial<RuntimeSpec>;
}

/** A runtime with a state directory of its own: ours, or a peer. */
export interface Runtime {
  readonly name: string;
  readonly root: string;
  /** Runs a command of it. */
  run(args: readonly string[], options?: CommandOptions): Promise<Ended>;
  /** Its stdout; an error with its stderr when it fails. */
  ok(args: readonly string[], options?: CommandOptions): Promise<string>;
  state(id: string): Promise<{ readonly status: string; readonly pid: number }>;
}

/** Bundles, and the runtimes that run them; all of it is removed when disposed. */
export interface Scene extends AsyncDisposable {
  readonly directory: string;
  readonly rootfs: string;
  /** An executable that is this runtime, for callers that take no arguments before the command. */
  readonly program: string;
  readonly cais: Runtime;
  readonly runc: Runtime;
  /** A bundle whose container has its cgroup below a directory of this scene. */
  bundle(name: string, wanted?: Wanted): string;
  /** Cgroup directories of this scene that are left. */
  cgroups(): string[];
}

let scenes = 0;

/** Make a scene. */
export function makeScene(): Scene {
  const directory = mkdtempSync(join(tmpdir(), "cais-oci-"));
  chmodSync(directory, 0o755);
  const rootfs = join(directory, "rootfs");
  mkdirSync(rootfs);
  spawnSync("tar", ["-C", rootfs, "-xf", busyboxTar()]);
  const program = join(directory, "cais-runtime");
  writeFileSync(program, `#!/bin/sh\nexec '${CAIS}' runtime "$@"\n`, { mode: 0o755 });
  const parent = `/cais-oci-${process.pid}-${scenes++}`;
  const cais = runtime("cais", program, join(directory, "cais-state"));
  const runc = runtime("runc", "runc", join(directory, "runc-state"));
  return {
    directory,
    rootfs,
    program,
    cais,
    runc,
    bundle(name, wanted = {}) {
      const bundle = join(directory, name);
      mkdirSync(bundle, { recursive: true });
      const base = defaults(program);
      const { linux, process } = base;
      const spec: RuntimeSpec = {
        ...base,
        root: { path: rootfs, readonly: false },
        ...wanted.spec,
        process: {
          ...process!,
          terminal: false,
          args: wanted.args ?? ["sleep", "1000"],
          ...wanted.process,
        },
        linux: { ...linux, cgroupsPath: `${parent}/${name}`, ...wanted.linux },
      };
      writeFileSync(join(bundle, "config.json"), JSON.stringify(spec));
      return bundle;
    },
    cgroups: () => globSync(`/sys/fs/cgroup{,/*}${parent}/*/`),
    async [Symbol.asyncDispose]() {
      for (const each of [cais, runc]) {
        for (const state of globSync(`${each.root}/*/`))
          await each.run(["delete", "--force", basename(state)]);
      }
      // Whatever the runtimes share stays on other machines; here it is a trace.
      for (const above of [parent, "/cais-runtime"])
        for (const cgroup of globSync(`/sys/fs/cgroup{,/*}${above}`)) removeEmpty(cgroup);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A parent cgroup, unless it is in use. */
export function removeEmpty(cgroup: string): void {
  try {
    rmdirSync(cgroup);
  } catch {
    // Somebody else's test is using it.
  }
}

let written: RuntimeSpec | undefined;

/** What `spec` writes. */
function defaults(program: string): RuntimeSpec {
  if (written !== undefined) return written;
  const directory = mkdtempSync(join(tmpdir(), "cais-spec-"));
  spawnSync(program, ["spec", "--bundle", directory]);
  written = JSON.parse(readFileSync(join(directory, "config.json"), "utf8")) as RuntimeSpec;
  rmSync(directory, { recursive: true });
  return written;
}

function runtime(name: string, program: string, root: string): Runtime {
  const run = (args: readonly string[], options?: CommandOptions) =>
    toFiles(program, ["--root", root, ...args], options);
  const ok = async (args: readonly string[], options?: CommandOptions) => {
    const ended = await run(args, options);
    if (ended.code !== 0)
      throw new Error(`${name} ${args.join(" ")} ended with ${ended.code}: ${ended.stderr}`);
    return ended.stdout;
  };
  return {
    name,
    root,
    run,
    ok,
    state: async (id) => JSON.parse(await ok(["state", id])) as { status: string; pid: number },
  };
}

let outputs = 0;

/** Runs a program that may leave another with its streams: those are files, and its own end is what counts. */
function toFiles(program: string, args: readonly string[], options: CommandOptions = {}): Promise<Ended> {
  const paths = ["out", "err"].map((name) => join(tmpdir(), `cais-oci-${process.pid}-${outputs++}.${name}`));
  const [out = 0, err = 0] = paths.map((path) => openSync(path, "w+", 0o666));
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: options.env ?? process.env,
      cwd: options.cwd,
      stdio: [options.input === undefined ? "ignore" : "pipe", out, err],
    });
    for (const file of [out, err]) closeSync(file);
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      const [stdout = "", stderr = ""] = paths.map((path) => readFileSync(path, "utf8"));
      for (const path of paths) rmSync(path);
      resolve({ code: code ?? 128 + constants.signals[signal ?? "SIGKILL"], stdout, stderr });
    });
    if (options.input !== undefined) child.stdin?.end(options.input);
    options.started?.(child);
  });
}

/** The message of the log line on standard error, without the runtime's own name. */
export function told({ stderr }: Ended): string {
  const [, quoted] = /level=error msg=("(?:[^"\\]|\\.)*")/.exec(stderr) ?? [];
  const text = quoted === undefined ? stderr : (JSON.parse(quoted) as string);
  return text.replaceAll(/\b(cais-runtime|runc)\b/g, "RUNTIME");
}

/** Resolves when the file's text satisfies `holds`. */
export async function untilText(read: () => string, holds: (text: string) => boolean): Promise<string> {
  for (let tries = 0; ; tries++) {
    const text = read();
    if (holds(text)) return text;
    if (tries === 200) throw new Error(`It stayed ${JSON.stringify(text)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Resolves when a container has the status. */
export async function untilStatus(runtime: Runtime, id: string, wanted: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    const { status } = await runtime.state(id);
    if (status === wanted) return;
    if (tries === 40) throw new Error(`${id} stayed ${status}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A user that no test machine has. */
export const USER = 1234;

/** Options of setpriv(1) to be it. */
export const AS_USER = [`--reuid=${USER}`, `--regid=${USER}`, "--clear-groups"];

/** Why users may not have namespaces of their own here, or undefined. */
export function usersDenied(): string | undefined {
  if (root() !== undefined) return root();
  const ended = spawnSync("setpriv", [...AS_USER, "unshare", "--user", "--map-root-user", "--mount", "true"]);
  return ended.status === 0 ? undefined : "users may not have namespaces of their own here";
}

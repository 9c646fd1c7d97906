import { posix } from "node:path";
import { hostArch } from "../../kernel/arch.ts";
import type { StepError } from "../../plan/error.ts";
import type { Exec } from "../../plan/step.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { openRootOf } from "../rootfs/root.ts";
import { type Found, inspectProgram } from "./inspect.ts";

/** Why a program could not be executed. */
export interface ExecFailure {
  /** Docker's exit code: 127 it is not there, 126 it cannot be executed. */
  readonly code: 126 | 127;
  /** Docker's sentence, and what is behind it. */
  readonly message: string;
}

/** What an error says when it is of the program rather than of a step before it. */
export function isExecFailure(error: unknown): error is StepError & { readonly step: Exec } {
  return error instanceof Error && error.name === "StepError" && (error as StepError).step.kind === "exec";
}

/** Look at the program that could not be executed, in the container's own files, and say what is wrong with it. */
export async function execFailure(
  context: Context,
  container: Container,
  error: StepError & { readonly step: Exec },
  cwd: string,
): Promise<ExecFailure> {
  const { candidates, argv, env } = error.step;
  const name = argv[0] ?? "";
  const path = env.find((entry) => entry.startsWith("PATH="))?.slice(5);
  const root = name === "" ? undefined : await openRootOf(context, container).catch(() => undefined);
  if (root === undefined) return missing(name, error.errno, path);
  try {
    const look = (file: string) => inspectProgram(root.path, posix.resolve("/", cwd, file));
    for (const candidate of candidates) {
      const found = look(candidate);
      if (found.kind !== "missing") return describe(candidate, name, found, error.errno, look);
    }
    return missing(name, error.errno, path);
  } finally {
    await root.close();
  }
}

const quoted = (name: string): string => JSON.stringify(name.slice(0, 255));

function missing(name: string, errno: string, path: string | undefined): ExecFailure {
  if (errno === "EACCES" && name !== "")
    return { code: 126, message: `exec: ${quoted(name)}: permission denied` };
  if (errno !== "ENOENT" && name !== "") return { code: 126, message: `exec: ${quoted(name)}: ${errno}` };
  const message = name.includes("/")
    ? `exec: ${quoted(name)}: stat ${name.slice(0, 255)}: no such file or directory; name a program that the image has`
    : `exec: ${quoted(name)}: executable file not found in $PATH${path === undefined ? "" : ` (${path})`}; name a program that the image has`;
  return { code: 127, message };
}

function describe(
  file: string,
  name: string,
  found: Exclude<Found, { kind: "missing" }>,
  errno: string,
  look: (file: string) => Found,
): ExecFailure {
  const start = `exec: ${quoted(name)}`;
  const refused = (message: string): ExecFailure => ({ code: 126, message: `${start}: ${message}` });
  if (found.kind === "directory") return refused("is a directory; name a program in it");
  const { elf, mode, script, size } = found;
  const interpreter = script ?? elf?.interpreter;
  if (errno === "EACCES") {
    if ((mode & 0o111) === 0) {
      return refused(
        `permission denied: ${file} is not executable (mode ${(mode & 0o7777).toString(8).padStart(4, "0")}); make it so in the image with chmod +x`,
      );
    }
    const other = interpreter === undefined ? "" : ` or its interpreter ${quoted(interpreter)}`;
    return refused(
      `permission denied: the user of the process may not execute ${file}${other}, or it is on a noexec mount`,
    );
  }
  if (elf !== undefined && elf.machine !== hostArch() && errno !== "EACCES") {
    return refused(
      `exec format error: ${file} is built for ${elf.machine}, this machine is ${hostArch()}; use an image for ${hostArch()}`,
    );
  }
  if (errno === "ENOENT" && interpreter !== undefined) return noInterpreter(start, file, found, look);
  if (errno !== "ENOEXEC") return refused(`${errno}: the kernel cannot execute ${file}`);
  return refused(
    size === 0
      ? `exec format error: ${file} is empty`
      : `exec format error: ${file} is neither a program nor a script with a first line such as #!/bin/sh; run it with its interpreter`,
  );
}

function noInterpreter(
  start: string,
  file: string,
  { elf, script }: Extract<Found, { kind: "file" }>,
  look: (file: string) => Found,
): ExecFailure {
  const failed = (what: string): ExecFailure => ({
    code: 127,
    message: `${start}: no such file or directory: ${what}`,
  });
  if (script === undefined) {
    return failed(
      `${file} is there, but its dynamic loader ${quoted(elf?.interpreter ?? "")} is not in the container; use a static build, or an image with that C library`,
    );
  }
  if (script.endsWith("\r")) {
    return failed(
      `${file} is there, but its first line ends with a carriage return, so that its interpreter is ${quoted(script)}; save it with Unix line ends`,
    );
  }
  const inner = look(script);
  const loader = inner.kind === "file" ? inner.elf?.interpreter : undefined;
  if (loader !== undefined) {
    return failed(
      `${file} is there, but the dynamic loader ${quoted(loader)} of its interpreter ${quoted(script)} is not in the container`,
    );
  }
  return failed(
    `${file} is there, but its interpreter ${quoted(script)} (its first line) is not in the container; install it in the image, or change the line`,
  );
}

import { readFileSync, realpathSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { codeOf } from "../oci/error.ts";
import { readConfig } from "../oci/runtime/config.ts";
import type { RuntimeSpec } from "../oci/runtime/spec.ts";
import { RuntimeError } from "./failure.ts";

/** A bundle as the caller prepared it: its configuration with every path of the host absolute. */
export interface OpenBundle {
  readonly path: string;
  readonly rootfs: string;
  readonly spec: RuntimeSpec & Required<Pick<RuntimeSpec, "process">>;
  readonly warnings: readonly string[];
}

/**
 * Read the bundle in `directory`.
 * @throws RuntimeError, or a Refusal that names the field
 */
export function openBundle(directory: string): OpenBundle {
  const path = resolve(directory);
  const file = join(path, "config.json");
  let text: Buffer;
  try {
    text = readFileSync(file);
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR")
      throw new RuntimeError(`JSON specification file config.json not found: ${file} is not there`);
    throw error;
  }
  const { value: spec, warnings } = readConfig(text, file);
  const { process } = spec;
  if (process === undefined) throw new RuntimeError(`Cannot use ${file}: it has no process`);
  return {
    path,
    rootfs: rootOf(path, spec),
    spec: { ...spec, process, mounts: (spec.mounts ?? []).map((mount) => absolute(path, mount)) },
    warnings,
  };
}

function rootOf(bundle: string, { root }: RuntimeSpec): string {
  const wanted = resolve(bundle, root?.path ?? "rootfs");
  try {
    const real = realpathSync(wanted);
    if (real === "/")
      throw new RuntimeError("Cannot use / as a container's root: name a directory of its own");
    if (!statSync(real).isDirectory())
      throw new RuntimeError(`Cannot use ${wanted} as a container's root: it is no directory`);
    return real;
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
    throw new RuntimeError(`Cannot use ${wanted} as a container's root: it is not there`);
  }
}

/** The source of a bind mount is relative to the bundle (config.md, "Mounts"). */
function absolute<
  M extends { readonly type?: string; readonly source?: string; readonly options?: readonly string[] },
>(bundle: string, mount: M): M {
  const bind =
    mount.type === "bind" || (mount.options ?? []).some((option) => option === "bind" || option === "rbind");
  return bind && mount.source !== undefined ? { ...mount, source: resolve(bundle, mount.source) } : mount;
}

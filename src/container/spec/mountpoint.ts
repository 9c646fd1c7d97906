import { posix } from "node:path";
import type { Propagation } from "../../wire/mount.ts";

/** One thing mounted into a container because somebody asked for it, whichever option it came from. */
export interface MountPoint {
  readonly type: "bind" | "volume" | "tmpfs" | "image";
  /** A path of the host, a volume's name (empty: an anonymous one), an image, or empty for tmpfs. */
  readonly source: string;
  /** Absolute, clean. */
  readonly target: string;
  readonly readonly: boolean;
  /** How far read-only reaches: into mounts below too where the kernel can, not at all, or without fail. */
  readonly below: "try" | "never" | "force";
  readonly recursive: boolean;
  /** Empty is what the type has by default. */
  readonly propagation: Propagation;
  /** Whether an empty volume gets what the image has at its target. */
  readonly copy: boolean;
  /** A missing source is made, as `-v` does and `--mount` does not. */
  readonly create: boolean;
  readonly subpath?: string;
  readonly driver?: { readonly name: string; readonly options: Readonly<Record<string, string>> };
  readonly labels?: Readonly<Record<string, string>>;
  /** tmpfs: as `mount -o` takes them. */
  readonly options: readonly string[];
  /** What is shown as its mode: Docker's `z` where a volume was given no words. */
  readonly mode?: string;
  /** The option as typed: `-v /src:/dst:ro`. */
  readonly option: string;
}

/** What most mount points are. */
export const PLAIN = {
  readonly: false,
  below: "try",
  recursive: true,
  propagation: "",
  copy: true,
  create: false,
  options: [],
} as const satisfies Partial<MountPoint>;

/** A path without `.`, `..`, doubled and trailing slashes. */
export function cleanPath(path: string): string {
  const clean = posix.normalize(path);
  return clean.length > 1 && clean.endsWith("/") ? clean.slice(0, -1) : clean;
}

/** Why a path cannot be a target, in Docker's words. */
export function wrongTarget(target: string): string | undefined {
  if (target === "") return "field Target must not be empty";
  if (target.includes("\0")) return "invalid mount path: it holds a NUL byte";
  if (!target.startsWith("/"))
    return `invalid mount path: '${target.slice(0, 200)}' mount path must be absolute`;
  return cleanPath(target) === "/" ? "invalid specification: destination can't be '/'" : undefined;
}

/** Why a word cannot name a volume, in Docker's words. */
export function wrongVolumeName(name: string): string | undefined {
  if (name === "") return undefined;
  if (name.length === 1) {
    return `create ${name}: volume name is too short, names should be at least two alphanumeric characters`;
  }
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/.test(name)) return undefined;
  const shown = name.slice(0, 200);
  return `create ${shown}: ${JSON.stringify(shown)} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`;
}

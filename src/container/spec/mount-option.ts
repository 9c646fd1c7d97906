import type { Mount } from "../../wire/mount.ts";
import { cleanPath, type MountPoint, PLAIN, wrongTarget, wrongVolumeName } from "./mountpoint.ts";
import { typedWord } from "./origins.ts";
import { tmpfsOptions, tmpfsWords } from "./tmpfs.ts";

const PROPAGATIONS = ["", "private", "rprivate", "shared", "rshared", "slave", "rslave"];
/** Which group of options belongs to which type. */
const OWNERS = {
  BindOptions: "bind",
  VolumeOptions: "volume",
  TmpfsOptions: "tmpfs",
  ImageOptions: "image",
} as const;

/**
 * One entry of `Mounts` (`--mount`).
 * @returns a sentence of Docker's for one that makes no sense
 */
export function parseMount(mount: Mount): MountPoint | string {
  const { Type: type = "", Source: source = "", Target: target = "" } = mount;
  const invalid = (why: string) => `invalid mount config for type ${JSON.stringify(type)}: ${why}`;
  for (const [field, owner] of Object.entries(OWNERS)) {
    if (mount[field as keyof typeof OWNERS] && type !== owner) {
      return `${field} must not be specified on mount type ${JSON.stringify(type)}`;
    }
  }
  if (type !== "bind" && type !== "volume" && type !== "tmpfs" && type !== "image")
    return invalid("mount type unknown");
  const why = wrongTarget(target) ?? wrongSource(type, source) ?? wrongOptions(mount);
  if (why !== undefined) return invalid(why);
  const conflict = readonlyConflict(mount);
  if (conflict !== undefined) return conflict;
  const name = type === "volume" ? wrongVolumeName(source) : undefined;
  return name ?? point(mount, type, source, target);
}

function point(mount: Mount, type: MountPoint["type"], source: string, target: string): MountPoint {
  const { BindOptions: bind, VolumeOptions: volume, ImageOptions: image } = mount;
  const readonly = mount.ReadOnly ?? false;
  const subpath = volume?.Subpath || image?.Subpath;
  const driver = volume?.DriverConfig;
  return {
    ...PLAIN,
    type,
    source: type === "bind" ? cleanPath(source) : source,
    target: cleanPath(target),
    readonly,
    below: bind?.ReadOnlyForceRecursive ? "force" : bind?.ReadOnlyNonRecursive ? "never" : "try",
    recursive: !bind?.NonRecursive,
    propagation: bind?.Propagation ?? "",
    copy: !volume?.NoCopy,
    create: bind?.CreateMountpoint ?? false,
    mode: type === "volume" ? "z" : "",
    options: type === "tmpfs" ? tmpfsWords(mount.TmpfsOptions, readonly) : [],
    ...(subpath ? { subpath } : {}),
    ...(driver?.Name ? { driver: { name: driver.Name, options: driver.Options ?? {} } } : {}),
    ...(volume?.Labels ? { labels: volume.Labels } : {}),
    option: typed(mount),
  };
}

function wrongSource(type: MountPoint["type"], source: string): string | undefined {
  if (source.includes("\0")) return "field Source must not hold a NUL byte";
  if (type === "tmpfs") return source === "" ? undefined : "field Source must not be specified";
  if (type === "volume") return undefined;
  if (source === "") return "field Source must not be empty";
  if (type === "image" || source.startsWith("/")) return undefined;
  return `invalid mount path: '${source.slice(0, 200)}' mount path must be absolute`;
}

function wrongOptions({
  Type,
  Source,
  ReadOnly,
  BindOptions,
  VolumeOptions,
  TmpfsOptions,
}: Mount): string | undefined {
  const propagation = BindOptions?.Propagation ?? "";
  if (!PROPAGATIONS.includes(propagation)) return `invalid propagation mode: ${propagation}`;
  if (Type === "volume") {
    const subpath = VolumeOptions?.Subpath ?? "";
    if (!Source && subpath !== "") return "must not set Subpath when using anonymous volumes";
    if (!Source && ReadOnly) return "must not set ReadOnly mode when using anonymous volumes";
    const clean = cleanPath(subpath || ".");
    if (clean.startsWith("/") || clean === ".." || clean.startsWith("../")) {
      return "subpath must be a relative path within the volume";
    }
  }
  if (Type !== "tmpfs") return undefined;
  if ((TmpfsOptions?.SizeBytes ?? 0) < 0) return "the size of a tmpfs cannot be negative";
  const merged = tmpfsOptions(tmpfsWords(TmpfsOptions, false));
  return "wrong" in merged ? merged.wrong.replace(/tmpfs option "(.*)"/, "option: $1") : undefined;
}

function readonlyConflict({ ReadOnly, BindOptions }: Mount): string | undefined {
  const { ReadOnlyNonRecursive: never, ReadOnlyForceRecursive: force } = BindOptions ?? {};
  if (never && !ReadOnly) return "mount options conflict: !ReadOnly && BindOptions.ReadOnlyNonRecursive";
  if (force && !ReadOnly) return "mount options conflict: !ReadOnly && BindOptions.ReadOnlyForceRecursive";
  return never && force
    ? "mount options conflict: ReadOnlyNonRecursive && BindOptions.ReadOnlyForceRecursive"
    : undefined;
}

function typed({ Type, Source, Target, ReadOnly, BindOptions }: Mount): string {
  const words = [
    `type=${Type}`,
    ...(Source ? [`src=${Source}`] : []),
    `dst=${Target}`,
    ...(ReadOnly ? ["readonly"] : []),
    ...(BindOptions?.Propagation ? [`bind-propagation=${BindOptions.Propagation}`] : []),
  ];
  return `--mount ${typedWord(words.join(","))}`;
}

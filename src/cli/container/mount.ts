import { resolve } from "node:path";
import type { BindOptions, Mount, MountType, TmpfsOptions, VolumeOptions } from "../../wire/mount.ts";
import { bytes, cut } from "../flags/quantity.ts";

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** What a `--mount` has said so far. */
interface Draft {
  readonly mount: Writable<Mount>;
  readonly bind: Writable<BindOptions>;
  readonly volume: Writable<VolumeOptions>;
  readonly tmpfs: Writable<TmpfsOptions>;
  readonly labels: Record<string, string>;
  readonly options: Record<string, string>;
  subpath?: string;
}

/** Reads `type=bind,source=/a,target=/b,readonly` (docs of `docker run --mount`). @throws Error as Docker says it */
export function parseMount(text: string): Mount {
  const draft: Draft = {
    mount: { Type: "volume" },
    bind: {},
    volume: {},
    tmpfs: {},
    labels: {},
    options: {},
  };
  for (const field of csv(text)) {
    const [key, value] = cut(field, "=");
    take(draft, key.trim().toLowerCase(), value, field);
  }
  return finish(draft);
}

function take(draft: Draft, key: string, value: string | undefined, field: string): void {
  const { mount, bind, volume, tmpfs } = draft;
  const flag = () => {
    if (value === undefined || value === "true" || value === "1") return true;
    if (value === "false" || value === "0") return false;
    throw new Error(`invalid value for ${key}: ${value}`);
  };
  if (key === "readonly" || key === "ro") return void (mount.ReadOnly = flag());
  if (key === "volume-nocopy") return void (volume.NoCopy = flag());
  if (key === "bind-nonrecursive") return void (bind.NonRecursive = flag());
  if (key === "bind-create-src") return void (bind.CreateMountpoint = flag());
  if (value === undefined) throw new Error(`invalid field '${field}' must be a key=value pair`);
  switch (key) {
    case "type":
      return void (mount.Type = value.toLowerCase() as MountType);
    case "source":
    case "src":
      return void (mount.Source = /^\.{1,2}(?:\/|$)/.test(value) ? resolve(value) : value);
    case "target":
    case "dst":
    case "destination":
      return void (mount.Target = value);
    case "consistency":
      return void (mount.Consistency = value.toLowerCase());
    case "bind-propagation":
      return void (bind.Propagation = value.toLowerCase() as NonNullable<BindOptions["Propagation"]>);
    case "bind-recursive":
      return bindRecursive(bind, value);
    case "volume-subpath":
    case "image-subpath":
      return void (draft.subpath = value);
    case "volume-driver":
      return void (volume.DriverConfig = { ...volume.DriverConfig, Name: value });
    case "volume-label":
      return put(draft.labels, value);
    case "volume-opt":
      return put(draft.options, value);
    case "tmpfs-size":
      return void (tmpfs.SizeBytes = bytes(value));
    case "tmpfs-mode":
      if (!/^[0-7]+$/.test(value)) throw new Error(`invalid value for ${key}: ${value}`);
      return void (tmpfs.Mode = Number.parseInt(value, 8));
    default:
      throw new Error(`unknown option '${key}' in '${field}'`);
  }
}

function finish({ mount, bind, volume, tmpfs, labels, options, subpath }: Draft): Mount {
  const types = ["bind", "volume", "tmpfs", "image", "npipe", "cluster"];
  if (!types.includes(mount.Type ?? ""))
    throw new Error(`invalid mount type '${mount.Type}': expected bind, volume or tmpfs`);
  if (!mount.Target) throw new Error("target is required");
  if (Object.keys(labels).length) volume.Labels = labels;
  if (Object.keys(options).length) volume.DriverConfig = { ...volume.DriverConfig, Options: options };
  if (subpath !== undefined && mount.Type === "volume") volume.Subpath = subpath;
  const uses: readonly (readonly [MountType, string, object])[] = [
    ["volume", "volume-*", volume],
    ["bind", "bind-*", bind],
    ["tmpfs", "tmpfs-*", tmpfs],
  ];
  for (const [type, names, said] of uses)
    if (Object.keys(said).length > 0 && mount.Type !== type)
      throw new Error(`cannot mix '${names}' options with mount type '${mount.Type}'`);
  if (mount.Type === "tmpfs" && mount.Source)
    throw new Error("source must not be specified for a tmpfs mount");
  if (mount.Type === "bind" && !mount.Source) throw new Error("source is required for a bind mount");
  return {
    ...mount,
    ...(Object.keys(bind).length && { BindOptions: bind }),
    ...(Object.keys(volume).length && { VolumeOptions: volume }),
    ...(Object.keys(tmpfs).length && { TmpfsOptions: tmpfs }),
    ...(mount.Type === "image" && subpath !== undefined && { ImageOptions: { Subpath: subpath } }),
  };
}

function bindRecursive(bind: Writable<BindOptions>, value: string): void {
  if (value === "enabled") return;
  if (value === "disabled") bind.NonRecursive = true;
  else if (value === "writable") bind.ReadOnlyNonRecursive = true;
  else if (value === "readonly") bind.ReadOnlyForceRecursive = true;
  else
    throw new Error(
      `invalid value for bind-recursive: ${value} (must be "enabled", "disabled", "writable", or "readonly")`,
    );
}

function put(map: Record<string, string>, text: string): void {
  const [name, value = ""] = cut(text, "=");
  map[name] = value;
}

/** Fields between commas; a field in double quotes may hold commas, and two quotes are one (RFC 4180). */
function csv(text: string): readonly string[] {
  const fields: string[] = [];
  const pattern = /(?:"((?:[^"]|"")*)"|([^,"]*))(,|$)/gy;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    fields.push(match[1] === undefined ? (match[2] ?? "") : match[1].replaceAll('""', '"'));
    if (match[3] === "") return fields;
  }
  throw new Error(`parse error in ${JSON.stringify(text)}: a bare or missing double quote`);
}

import { path } from "../../host/builtin.ts";
import type { BindOptions, Mount, MountType, TmpfsOptions, VolumeOptions } from "../../wire/mount.ts";
import { caller } from "../caller/caller.ts";
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

type Take = (draft: Draft, value: string, key: string) => void;

/** What each field that has a value means. */
const fields: Readonly<Record<string, Take>> = {
  type: ({ mount }, value) => {
    mount.Type = value.toLowerCase() as MountType;
  },
  source: ({ mount }, value) => {
    mount.Source = /^\.{1,2}(?:\/|$)/.test(value) ? path().resolve(caller().directory(), value) : value;
  },
  target: ({ mount }, value) => {
    mount.Target = value;
  },
  consistency: ({ mount }, value) => {
    mount.Consistency = value.toLowerCase();
  },
  "bind-propagation": ({ bind }, value) => {
    bind.Propagation = value.toLowerCase() as NonNullable<BindOptions["Propagation"]>;
  },
  "bind-recursive": ({ bind }, value) => bindRecursive(bind, value),
  "volume-subpath": subpath,
  "image-subpath": subpath,
  "volume-driver": ({ volume }, value) => {
    volume.DriverConfig = { ...volume.DriverConfig, Name: value };
  },
  "volume-label": ({ labels }, value) => put(labels, value),
  "volume-opt": ({ options }, value) => put(options, value),
  "tmpfs-size": ({ tmpfs }, value) => {
    tmpfs.SizeBytes = bytes(value);
  },
  "tmpfs-mode": ({ tmpfs }, value, key) => {
    if (!/^[0-7]+$/.test(value)) throw new Error(`invalid value for ${key}: ${value}`);
    tmpfs.Mode = Number.parseInt(value, 8);
  },
};

/** Fields that are switches: `readonly`, `readonly=false`. */
const switches: Readonly<Record<string, (draft: Draft, on: boolean) => void>> = {
  readonly: ({ mount }, on) => {
    mount.ReadOnly = on;
  },
  "volume-nocopy": ({ volume }, on) => {
    volume.NoCopy = on;
  },
  "bind-nonrecursive": ({ bind }, on) => {
    bind.NonRecursive = on;
  },
  "bind-create-src": ({ bind }, on) => {
    bind.CreateMountpoint = on;
  },
};

const synonyms: Readonly<Record<string, string>> = {
  src: "source",
  dst: "target",
  destination: "target",
  ro: "readonly",
};

function take(draft: Draft, typed: string, value: string | undefined, field: string): void {
  const key = synonyms[typed] ?? typed;
  const set = Object.hasOwn(switches, key) ? switches[key] : undefined;
  if (set) {
    if (value !== undefined && !["true", "1", "false", "0"].includes(value))
      throw new Error(`invalid value for ${typed}: ${value}`);
    set(draft, value === undefined || value === "true" || value === "1");
    return;
  }
  if (value === undefined) throw new Error(`invalid field '${field}' must be a key=value pair`);
  const read = Object.hasOwn(fields, key) ? fields[key] : undefined;
  if (!read) throw new Error(`unknown option '${typed}' in '${field}'`);
  read(draft, value, typed);
}

function subpath(draft: Draft, value: string): void {
  draft.subpath = value;
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

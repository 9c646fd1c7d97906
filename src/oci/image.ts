import { type DiffId, isDigest } from "./digest.ts";
import { check, type Json, parseJson } from "./json.ts";

/** How containers of an image run (OCI image spec, config.md, "config"; Docker's additions included). */
export interface ImageRunConfig {
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, Record<string, never>>>;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly Volumes?: Readonly<Record<string, Record<string, never>>> | null;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly StopSignal?: string;
  readonly StopTimeout?: number;
  readonly Healthcheck?: HealthConfig;
  readonly Shell?: readonly string[];
  readonly OnBuild?: readonly string[] | null;
  /** The command is a Windows command line; kept when an image carries it. */
  readonly ArgsEscaped?: boolean;
}

/** A health check; times in nanoseconds as Docker keeps them. */
export interface HealthConfig {
  readonly Test?: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

export interface HistoryEntry {
  readonly created?: string;
  readonly created_by?: string;
  readonly author?: string;
  readonly comment?: string;
  readonly empty_layer?: boolean;
}

/** The configuration of an image; the digest of its bytes is the image's id. */
export interface ImageConfig {
  readonly architecture: string;
  readonly variant?: string;
  readonly os: string;
  readonly created?: string;
  readonly author?: string;
  readonly config?: ImageRunConfig;
  readonly rootfs: { readonly type: "layers"; readonly diff_ids: readonly DiffId[] };
  readonly history?: readonly HistoryEntry[];
  /** Docker's: version of the engine that made it. */
  readonly docker_version?: string;
  /** Docker's: message of `commit` or `import`. */
  readonly comment?: string;
}

/** Largest configuration read. */
export const CONFIG_MAX = 8 * 1024 * 1024;
const LIST_MAX = 65536;
const LAYERS_MAX = 1024;

/** Parses and checks an image configuration; `what` names it in errors. Unknown fields are left out. */
export function parseImageConfig(bytes: Uint8Array | string, what: string): ImageConfig {
  const json = parseJson(bytes, CONFIG_MAX, what);
  check.object(json, what);
  check.object(json.rootfs, `${what}: rootfs`);
  check.equal(json.rootfs.type, "layers", `${what}: rootfs.type`);
  const diffs = check.array(json.rootfs.diff_ids ?? [], LAYERS_MAX, `${what}: rootfs.diff_ids`);
  for (const diff of diffs) {
    if (!isDigest(diff))
      throw new Error(`Cannot read ${what}: rootfs.diff_ids holds something that is no digest`);
  }
  const history = check.array(json.history ?? [], LIST_MAX, `${what}: history`);
  const text = (key: string): Record<string, string> =>
    typeof json[key] === "string" && json[key] !== "" ? { [key]: json[key] } : {};
  return {
    architecture: check.text(json.architecture ?? "amd64", `${what}: architecture`),
    ...text("variant"),
    os: check.text(json.os ?? "linux", `${what}: os`),
    ...text("created"),
    ...text("author"),
    ...text("docker_version"),
    ...text("comment"),
    config: json.config == null ? {} : parseRunConfig(json.config, `${what}: config`),
    rootfs: { type: "layers", diff_ids: diffs as unknown as DiffId[] },
    history: history.map((entry, i) => historyEntry(entry, `${what}: history[${i}]`)),
  };
}

/** Checks the part of an image configuration that containers run with. */
export function parseRunConfig(value: Json, what: string): ImageRunConfig {
  check.object(value, what);
  const config: { -readonly [K in keyof ImageRunConfig]: ImageRunConfig[K] } = {};
  if (value.User != null) config.User = check.text(value.User, `${what}: User`);
  if (value.WorkingDir != null) config.WorkingDir = check.text(value.WorkingDir, `${what}: WorkingDir`);
  if (value.StopSignal != null) config.StopSignal = check.text(value.StopSignal, `${what}: StopSignal`);
  if (typeof value.StopTimeout === "number") config.StopTimeout = value.StopTimeout;
  if (value.ArgsEscaped === true) config.ArgsEscaped = true;
  for (const key of ["Env", "Entrypoint", "Cmd", "Shell", "OnBuild"] as const) {
    if (value[key] != null) config[key] = check.textList(value[key], LIST_MAX, `${what}: ${key}`);
  }
  for (const key of ["ExposedPorts", "Volumes"] as const) {
    const set = value[key];
    if (set == null) continue;
    check.object(set, `${what}: ${key}`);
    config[key] = Object.fromEntries(Object.keys(set).map((name) => [name, {}]));
  }
  if (value.Labels != null) config.Labels = check.texts(value.Labels, `${what}: Labels`);
  if (value.Healthcheck != null) {
    check.object(value.Healthcheck, `${what}: Healthcheck`);
    config.Healthcheck = value.Healthcheck as HealthConfig;
  }
  return config;
}

function historyEntry(value: Json, what: string): HistoryEntry {
  check.object(value, what);
  const entry: { -readonly [K in keyof HistoryEntry]: HistoryEntry[K] } = {};
  for (const key of ["created", "created_by", "author", "comment"] as const) {
    if (value[key] != null) entry[key] = check.text(value[key], `${what}: ${key}`);
  }
  if (value.empty_layer === true) entry.empty_layer = true;
  return entry;
}

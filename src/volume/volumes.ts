import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import { liveDirectories } from "../image/archive/live.ts";
import { labelsMatch } from "../image/list.ts";
import { openRoot } from "../image/tar/beneath.ts";
import { packTree } from "../image/tar/pack.ts";
import { unpack } from "../image/tar/unpack.ts";
import { codeOf, Refusal } from "../oci/error.ts";
import { check, type Json } from "../oci/json.ts";
import { readDocument, removeDocument, TEMPORARY, writeDocument } from "../storage/document.ts";
import type { RunPlan } from "../storage/kernel.ts";
import { usageOf } from "../storage/usage.ts";
import { type MountOptions, mountOf } from "./options.ts";

/** A volume as the API shows it. */
export interface Volume {
  readonly Name: string;
  readonly Driver: "local";
  readonly Mountpoint: string;
  readonly CreatedAt: string;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly Scope: "local";
  readonly Options: Readonly<Record<string, string>> | null;
}

export interface VolumeRequest {
  /** Made up when absent or empty. */
  readonly name?: string;
  readonly driver?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly options?: Readonly<Record<string, string>>;
}

/** Name → values, as the API sends them. */
export type VolumeFilters = Readonly<Record<string, readonly string[]>>;

/** The named volumes of one engine. Every change is atomic; what is removed is renamed away first. */
export interface Volumes {
  /** Idempotent: as in Docker, a volume that is there is returned whatever options are asked for. */
  create(request?: VolumeRequest): Volume;
  find(name: string): Volume | undefined;
  /** As `find`; throws "get x: no such volume". */
  get(name: string): Volume;
  list(filters?: VolumeFilters): Volume[];
  /** Refused while a container has it. */
  remove(name: string, options?: { readonly force?: boolean }): Promise<void>;
  /** Removes volumes no container has: those without a name given by a person, unless filter `all=true`. */
  prune(filters?: VolumeFilters): Promise<{ VolumesDeleted: string[]; SpaceReclaimed: number }>;
  /** What a plan has to mount on `Mountpoint` before a container uses the volume; undefined: a plain directory. */
  mount(name: string): MountOptions | undefined;
  /**
   * Fills an empty volume with what the image has at the place where it is mounted (`source`, a directory of the
   * root file system, opened by the caller: no link in it is followed). Does nothing when the volume has something.
   * @param part the directory of the volume that is mounted, opened by the caller; all of it unless given
   */
  fill(name: string, source: string, part?: string): Promise<void>;
  damaged(): readonly string[];
}

export interface VolumesOptions {
  /** Absolute; the engine's `--root`. */
  readonly root: string;
  readonly runPlan: RunPlan;
  /** Containers that have a volume, by id. */
  readonly usedBy?: (name: string) => readonly string[];
}

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
const ANONYMOUS = "com.docker.volume.anonymous";

/** Opens the volumes below a root directory and removes what an earlier process left half removed. */
export function openVolumes({ root, runPlan, usedBy = () => [] }: VolumesOptions): Volumes {
  const base = join(root, "volumes");
  const removed = join(base, ".removed");
  // Programs in a volume may be set to run as another user: for no user of the machine (CVE-2021-41091).
  fs.mkdirSync(removed, { recursive: true, mode: 0o710 });
  fs.chmodSync(base, 0o710);
  for (const name of fs.readdirSync(removed))
    fs.rmSync(join(removed, name), { recursive: true, force: true });
  const known = new Map<string, Volume>();
  const damaged: string[] = [];
  for (const name of fs.readdirSync(base)) {
    const path = join(base, name, "volume.json");
    fs.rmSync(`${path}${TEMPORARY}`, { force: true });
    if (name === ".removed") continue;
    try {
      const json = readDocument(path);
      // A directory without a document was being made when its maker died: it is empty.
      if (json === undefined) fs.rmSync(join(base, name), { recursive: true, force: true });
      else known.set(name, volumeOf(json, name, join(base, name, "_data")));
    } catch (error) {
      damaged.push(error instanceof Error ? error.message : String(error));
    }
  }
  const get = (name: string): Volume => {
    const volume = known.get(name);
    if (volume === undefined) throw new Refusal("notFound", `get ${name}: no such volume`);
    return volume;
  };
  const drop = async (name: string): Promise<void> => {
    // Where somebody has taken its directory away, there is nothing to remove but its name.
    if (!fs.existsSync(join(base, name))) return void known.delete(name);
    removeDocument(join(base, name, "volume.json"));
    known.delete(name);
    const doomed = join(removed, randomBytes(8).toString("hex"));
    fs.renameSync(join(base, name), doomed);
    await fs.promises.rm(doomed, { recursive: true, force: true });
  };
  return {
    create(request = {}) {
      const { driver = "local", options = {} } = request;
      const anonymous = request.name === undefined || request.name === "";
      const name = anonymous ? randomBytes(32).toString("hex") : request.name!;
      if (name.length === 1) {
        throw new Refusal(
          "invalid",
          `create ${name}: volume name is too short, names should be at least two alphanumeric characters`,
        );
      }
      if (!NAME.test(name) || name.length > 255) {
        throw new Refusal(
          "invalid",
          `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
        );
      }
      if (driver !== "local" && driver !== "") {
        throw new Refusal(
          "notFound",
          `create ${name}: error looking up volume plugin ${driver}: plugin "${driver}" not found`,
        );
      }
      mountOf(name, options);
      const there = known.get(name);
      if (there !== undefined) {
        return there;
      }
      const labels = anonymous ? { ...request.labels, [ANONYMOUS]: "" } : (request.labels ?? {});
      const volume: Volume = {
        Name: name,
        Driver: "local",
        Mountpoint: join(base, name, "_data"),
        CreatedAt: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
        Labels: Object.keys(labels).length === 0 ? null : labels,
        Scope: "local",
        // Nothing said and nothing asked for are told apart, as in Docker.
        Options: request.options ?? null,
      };
      if (fs.existsSync(join(base, name, "volume.json"))) {
        throw new Refusal(
          "failed",
          `create ${name}: the document of a volume of this name is damaged; look at ${join(base, name)}`,
        );
      }
      fs.mkdirSync(volume.Mountpoint, { recursive: true, mode: 0o755 });
      fs.chmodSync(volume.Mountpoint, 0o755);
      writeDocument(join(base, name, "volume.json"), volume, { sync: true });
      known.set(name, volume);
      return volume;
    },
    find: (name) => known.get(name),
    get,
    list: (filters = {}) => {
      const volumes = [...known.values()].filter((volume) => accepts(volume, filters, usedBy));
      return volumes.sort((a, b) => (a.Name < b.Name ? -1 : 1));
    },
    async remove(name, { force = false } = {}) {
      if (force && !known.has(name)) return;
      get(name);
      const users = usedBy(name);
      if (users.length > 0) {
        throw new Refusal("conflict", `remove ${name}: volume is in use - [${users.join(", ")}]`);
      }
      await drop(name);
    },
    async prune(filters = {}) {
      const all = /^(1|true)$/i.test(filters.all?.[0] ?? "");
      const report = { VolumesDeleted: [] as string[], SpaceReclaimed: 0 };
      for (const volume of [...known.values()]) {
        if (usedBy(volume.Name).length > 0 || !labelsMatch(volume.Labels ?? {}, filters)) continue;
        if (!all && volume.Labels?.[ANONYMOUS] === undefined) continue;
        report.SpaceReclaimed += await usageOf(volume.Mountpoint);
        await drop(volume.Name);
        report.VolumesDeleted.push(volume.Name);
      }
      return report;
    },
    mount: (name) => mountOf(name, get(name).Options ?? {}),
    async fill(name, source, part) {
      const place = part ?? get(name).Mountpoint;
      if (!isDirectory(place) || fs.readdirSync(place).length > 0 || !isDirectory(source)) return;
      // A container that has it already may be at work in it.
      const root = openRoot(place);
      const live = liveDirectories(root, []);
      try {
        await unpack(packTree(source, { runPlan }), `/proc/self/fd/${root}`, {
          runPlan,
          whiteouts: "plain",
          live,
        });
      } catch (error) {
        // Half a copy would be taken for what the user put there.
        for (const left of fs.readdirSync(place))
          fs.rmSync(join(place, left), { recursive: true, force: true });
        throw error;
      } finally {
        live.close();
        fs.closeSync(root);
      }
    },
    damaged: () => damaged,
  };
}

function volumeOf(json: Json, name: string, mountpoint: string): Volume {
  check.object(json, name);
  if (json.Name !== name) throw new Error(`Cannot use volume ${name}: its document belongs to another`);
  return { ...(json as unknown as Volume), Mountpoint: mountpoint };
}

function accepts(
  volume: Volume,
  filters: VolumeFilters,
  usedBy: (name: string) => readonly string[],
): boolean {
  const { name, driver, dangling } = filters;
  if (name !== undefined && !name.some((part) => volume.Name.includes(part))) return false;
  if (driver !== undefined && !driver.includes(volume.Driver)) return false;
  if (dangling !== undefined) {
    const wanted = /^(1|t|true)$/i.test(dangling[0] ?? "");
    if ((usedBy(volume.Name).length === 0) !== wanted) return false;
  }
  return labelsMatch(volume.Labels ?? {}, filters);
}

function isDirectory(path: string): boolean {
  try {
    return fs.statSync(path).isDirectory();
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return false;
    throw error;
  }
}

import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { ContainerRecord } from "../../container/record.ts";
import { cleanPath } from "../../container/spec/mountpoint.ts";
import { locate } from "../../image/archive/stat.ts";
import { openRoot, through } from "../../image/tar/beneath.ts";
import { MS, O } from "../../kernel/flags.ts";
import { reasonOf } from "../../oci/error.ts";
import { call, num, str } from "../../plan/build.ts";
import type { Context } from "../context.ts";
import { invalid } from "../refuse.ts";

/**
 * Parts of volumes (`volume-subpath`), each bound to a place of the engine's own for as long as it is open: a link
 * that is put in its way later leads nowhere.
 */
export interface Subpaths {
  /** Places by target. */
  readonly sources: ReadonlyMap<string, string>;
  close(): Promise<void>;
}

/** include/uapi/linux/fs.h: umount2(2). */
const MNT_DETACH = 2;
let counter = 0;

/** @throws Refusal with Docker's sentence for a part that is not there or leads out of its volume */
export async function openSubpaths(
  context: Pick<Context, "run" | "runPlan">,
  { host, mounts }: Pick<ContainerRecord, "host" | "mounts">,
): Promise<Subpaths> {
  const places: string[] = [];
  const sources = new Map<string, string>();
  const close = async (): Promise<void> => {
    for (const place of places.splice(0)) await leave(context, place);
  };
  try {
    for (const { Target = "", VolumeOptions } of host.Mounts ?? []) {
      const target = cleanPath(Target);
      const volume = mounts.find(({ Destination, Type }) => Destination === target && Type === "volume");
      if (!VolumeOptions?.Subpath || !volume) continue;
      const place = join(context.run, "subpaths", `${process.pid}-${counter++}`);
      const fd = openBeneath(volume.Source, VolumeOptions.Subpath);
      try {
        await bind(context, fd, place);
      } finally {
        closeSync(fd);
      }
      places.push(place);
      sources.set(target, place);
    }
    return { sources, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Removes what an engine that was killed left. */
export async function sweepSubpaths(context: Pick<Context, "run" | "runPlan">): Promise<void> {
  const folder = join(context.run, "subpaths");
  for (const name of readdirSync(folder, { withFileTypes: true }))
    await leave(context, join(folder, name.name));
}

async function bind({ runPlan }: Pick<Context, "runPlan">, fd: number, place: string): Promise<void> {
  mkdirSync(dirname(place), { recursive: true, mode: 0o700 });
  if (fstatSync(fd).isDirectory()) mkdirSync(place);
  else writeFileSync(place, "");
  const source = str(`/proc/${process.pid}/fd/${fd}`);
  const args = [source, str(place), num(0), num(MS.BIND | MS.REC, "MS_BIND|MS_REC"), num(0)];
  await runPlan({ steps: [call("mount", args, "hold on to a part of a volume")] });
}

async function leave({ runPlan }: Pick<Context, "runPlan">, place: string): Promise<void> {
  const args = [str(place), num(MNT_DETACH, "MNT_DETACH")];
  await runPlan({ steps: [call("umount2", args, "let go of a part of a volume", { tolerate: ["EINVAL"] })] });
  // Never what is below: were it still mounted, that would be the volume's own.
  if (statSync(place).isDirectory()) rmdirSync(place);
  else rmSync(place);
}

/** Descriptor of a part of a volume. @throws Refusal with Docker's sentence where it is not there or leads out */
export function openBeneath(base: string, subpath: string): number {
  const path = join(base, subpath);
  let real: string;
  try {
    real = realpathSync(path);
  } catch (error) {
    throw invalid(`cannot access path ${path}: ${reasonOf(error)}`);
  }
  const whole = realpathSync(base);
  if (real !== whole && !real.startsWith(`${whole}/`))
    throw invalid(`path concatenation escapes the base directory, base: ${base}, subpath: ${subpath}`);
  const root = openRoot(whole);
  try {
    // What was just looked at may have been exchanged: it is walked again, and cannot lead out now.
    const { parent, name } = locate(root, `/${real.slice(whole.length + 1)}`);
    try {
      return openSync(through(parent, name), O.PATH | constants.O_NOFOLLOW);
    } finally {
      closeSync(parent);
    }
  } finally {
    closeSync(root);
  }
}

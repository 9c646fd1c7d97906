import { lookup } from "node:dns/promises";
import { readFileSync } from "node:fs";
import { mountOptions } from "../container/launch/mount-options.ts";
import { ERRNO, type ErrnoName, errnoText } from "../kernel/errno.ts";
import { MS } from "../kernel/flags.ts";
import { reasonOf } from "../oci/error.ts";
import { call, num, str } from "../plan/build.ts";
import { StepError } from "../plan/error.ts";
import type { Plan } from "../plan/step.ts";
import type { RunPlan } from "../storage/kernel.ts";
import type { MountOptions } from "../volume/options.ts";
import type { Volumes } from "../volume/volumes.ts";
import { invalid } from "./refuse.ts";

/**
 * Volumes that are more than a directory (`type`, `device`, `o` of the local driver) are mounted on their directory
 * while somebody holds them, as in Docker: a tmpfs that two containers share is one, and is gone after the last.
 */
export interface VolumeMounts {
  /** Nothing happens for a plain volume. @throws Refusal with Docker's sentence when it cannot be mounted */
  hold(name: string, holder: string): Promise<void>;
  /** The last holder's release unmounts it. Never rejects. */
  release(name: string, holder: string): Promise<void>;
  /** A container of an earlier engine runs on: its volumes are mounted already. */
  known(name: string, holder: string): void;
  /** Unmounts what nobody holds: what an engine that was killed left. */
  sweep(): Promise<void>;
}

/** include/uapi/linux/fs.h: umount2(2), out of the way at once, gone when nobody uses it. */
const MNT_DETACH = 2;

/** Mounts of these volumes; none is held yet. */
export function createVolumeMounts(
  volumes: Volumes,
  runPlan: RunPlan,
  report: (message: string) => void,
): VolumeMounts {
  const holders = new Map<string, Set<string>>();
  const busy = new Map<string, Promise<unknown>>();
  /** One after the other for each volume. */
  const serially = <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const next = (busy.get(name) ?? Promise.resolve()).then(work);
    const settled = next
      .catch(() => undefined)
      .finally(() => {
        if (busy.get(name) === settled) busy.delete(name);
      });
    busy.set(name, settled);
    return next;
  };
  const holdersOf = (name: string): Set<string> => {
    const found = holders.get(name) ?? new Set();
    holders.set(name, found);
    return found;
  };
  const unmount = async (name: string): Promise<void> => {
    const path = volumes.find(name)?.Mountpoint;
    if (path !== undefined && isMounted(path)) await runPlan(unmountPlan(name, path));
  };

  return {
    async hold(name, holder) {
      if (!volumes.mount(name)) return;
      await serially(name, async () => {
        const options = volumes.mount(name);
        if (!options) return;
        const { Mountpoint } = volumes.get(name);
        if (!isMounted(Mountpoint)) await mount(runPlan, name, Mountpoint, options);
        holdersOf(name).add(holder);
      });
    },
    async release(name, holder) {
      if (!holders.get(name)?.has(holder)) return;
      await serially(name, async () => {
        const held = holdersOf(name);
        held.delete(holder);
        if (held.size > 0) return;
        holders.delete(name);
        await unmount(name);
      }).catch((error: unknown) => report(`Cannot unmount volume ${name}: ${reasonOf(error)}`));
    },
    known(name, holder) {
      if (volumes.find(name) && volumes.mount(name)) holdersOf(name).add(holder);
    },
    async sweep() {
      for (const { Name, Options } of volumes.list()) {
        if (!Options || holders.has(Name)) continue;
        await serially(Name, () => unmount(Name)).catch((error: unknown) =>
          report(`Cannot unmount volume ${Name}: ${reasonOf(error)}`),
        );
      }
    },
  };
}

/** `mount(2)` wants a server's address; what Docker resolves is resolved. */
async function mount(runPlan: RunPlan, name: string, path: string, options: MountOptions): Promise<void> {
  const words = await Promise.all(options.options.map(addressed));
  const { flags, data, bind } = mountOptions(words);
  const kind = bind === "no" ? 0 : bind === "rbind" ? MS.BIND | MS.REC : MS.BIND;
  const said = `${kind || flags ? `, flags: 0x${(kind || flags).toString(16)}` : ""}${data ? `, data: ${data}` : ""}`;
  try {
    await runPlan(mountPlan(name, path, { ...options, kind, flags, data }));
  } catch (error) {
    const why = error instanceof StepError ? textOf(error) : reasonOf(error);
    throw invalid(
      `error while mounting volume '${path}': failed to mount local volume: mount ${options.device}:${path}${said}: ${why}`,
    );
  }
}

async function addressed(word: string): Promise<string> {
  const host = /^addr=(.*[a-zA-Z].*)$/.exec(word)?.[1];
  if (host === undefined || host.includes(":")) return word;
  return `addr=${(await lookup(host)).address}`;
}

function mountPlan(
  name: string,
  path: string,
  it: MountOptions & { readonly kind: number; readonly flags: number; readonly data: string },
): Plan {
  const because = { why: `mount volume ${name}`, option: `-v ${name}:…` };
  const mounting = (device: string, type: string, flags: number, data: string) =>
    call(
      "mount",
      [str(device), str(path), str(type), num(flags), data === "" ? num(0) : str(data)],
      because,
      {
        undo: [
          call("umount2", [str(path), num(MNT_DETACH, "MNT_DETACH")], "take the mount away", {
            tolerate: ["EINVAL"],
          }),
        ],
      },
    );
  if (it.kind === 0) return { steps: [mounting(it.device, it.type, it.flags, it.data)] };
  // The flags of a bind mount are set by a second call (mount(2), "Creating a bind mount").
  const steps = [mounting(it.device, it.type, it.kind, it.data)];
  if (it.flags !== 0) steps.push(mounting("", "", MS.BIND | MS.REMOUNT | it.flags, ""));
  return { steps };
}

const unmountPlan = (name: string, path: string): Plan => ({
  steps: [
    call("umount2", [str(path), num(MNT_DETACH, "MNT_DETACH")], `unmount volume ${name}`, {
      tolerate: ["EINVAL", "ENOENT"],
    }),
  ],
});

/** proc_pid_mountinfo(5): the fifth field, with spaces and the like in octal. */
function isMounted(path: string): boolean {
  const written = path.replace(
    /[ \t\n\\]/g,
    (letter) => `\\${letter.charCodeAt(0).toString(8).padStart(3, "0")}`,
  );
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .some((line) => line.split(" ", 5)[4] === written);
}

/** As Go says it: `no such device`. */
function textOf({ errno }: StepError): string {
  const text = errnoText(ERRNO[errno as ErrnoName]);
  return text.charAt(0).toLowerCase() + text.slice(1);
}

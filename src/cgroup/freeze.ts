import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cgroupError, errnoOf } from "./error.ts";
import { keyed, untilFile } from "./events.ts";
import { controllerDirectory, directoryIn, type Layout } from "./layout.ts";

/** How long a freeze may take before it is taken back: a process in the kernel cannot stop before it is out. */
const PATIENCE_MS = 10_000;

/** Stop every process of `cgroup` (`pause`). Resolves when all of them have stopped. */
export async function freeze(layout: Layout, cgroup: string): Promise<void> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  try {
    await setFrozen(layout, cgroup, true, signal);
  } catch (cause) {
    const frozen = freezer(layout, cgroup);
    // What is half frozen runs on: a pause that fails has changed nothing.
    if (errnoOf(cause) !== "ENOENT") await setFrozen(layout, cgroup, false, AbortSignal.timeout(PATIENCE_MS));
    const reason = signal.aborted
      ? `not all processes stopped within ${PATIENCE_MS / 1000} s`
      : String(cause);
    throw cgroupError("pause the container", frozen.file, reason, { cause });
  }
}

/** Let the processes of `cgroup` run on (`unpause`). */
export async function thaw(layout: Layout, cgroup: string): Promise<void> {
  try {
    await setFrozen(layout, cgroup, false, AbortSignal.timeout(PATIENCE_MS));
  } catch (cause) {
    throw cgroupError("unpause the container", freezer(layout, cgroup).file, String(cause), { cause });
  }
}

/** Whether `cgroup` is frozen, or on its way there. */
export function isFrozen(layout: Layout, cgroup: string): boolean {
  const { version, file } = freezer(layout, cgroup);
  const text = readFileSync(file, "utf8").trim();
  return version === 2 ? text === "1" : text !== "THAWED";
}

/** v2's freezer wherever there is one, in a hybrid too: it tells when it is done. */
function freezer(layout: Layout, cgroup: string): { readonly version: 1 | 2; readonly file: string } {
  if (layout.unified !== undefined) {
    const file = join(directoryIn(layout.unified, cgroup), "cgroup.freeze");
    // Before Linux 5.2 there is none.
    if (existsSync(file)) return { version: 2, file };
  }
  const directory = controllerDirectory(layout, "freezer", cgroup);
  if (directory === undefined)
    throw cgroupError(
      "pause a container",
      cgroup,
      "neither cgroup.freeze nor the freezer controller is here",
      {
        hint: "mount cgroup v2, or the v1 freezer controller",
      },
    );
  return { version: 1, file: join(directory, "freezer.state") };
}

async function setFrozen(layout: Layout, cgroup: string, frozen: boolean, signal: AbortSignal) {
  const { version, file } = freezer(layout, cgroup);
  if (version === 1) return setLegacy(file, frozen ? "FROZEN" : "THAWED", signal);
  writeFileSync(file, frozen ? "1" : "0");
  const events = file.replace(/freeze$/, "events");
  await untilFile(events, (text) => keyed(text, "frozen") === (frozen ? 1 : 0), signal);
}

/** v1 tells nobody when it is done, and only goes on when asked: the one place that has to ask again. */
async function setLegacy(file: string, state: "FROZEN" | "THAWED", signal: AbortSignal): Promise<void> {
  const { setTimeout: after } = await import("node:timers/promises");
  for (;;) {
    writeFileSync(file, state);
    if (readFileSync(file, "utf8").trim() === state) return;
    await after(1, undefined, { signal });
  }
}

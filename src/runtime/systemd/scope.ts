import { type Bus, MANAGER, MANAGER_PATH, openBus, refusalOf } from "./bus.ts";
import type { Value, Variant } from "./marshal.ts";

/**
 * A container's cgroup as a transient scope of systemd (org.freedesktop.systemd1(5), systemd.scope(5)): systemd makes
 * it and knows its limits, we put processes into it (`Delegate`).
 */

/** Properties of a unit: name and value, in the order in which systemd is told. */
export type Properties = readonly (readonly [string, Variant])[];

const entries = (properties: Properties): Value => properties.map(([name, value]) => [name, value]);

/**
 * Start `unit` with the process `pid` in it; resolves when its cgroup is there. It ends when it is empty.
 * @throws Error with systemd's own words
 */
export async function startScope(unit: string, pid: number, properties: Properties): Promise<void> {
  using bus = await openBus();
  const all = entries([...properties, ["PIDs", { type: "au", value: [pid] }]]);
  const start = () =>
    bus.call(MANAGER_PATH, MANAGER, "StartTransientUnit", "ssa(sv)a(sa(sv))", [unit, "replace", all, []]);
  let job: readonly Value[];
  try {
    job = await start();
  } catch (error) {
    // One of that name that has failed is kept until somebody has seen it.
    if (refusalOf(error) !== "org.freedesktop.systemd1.UnitExists") throw error;
    await forget(bus, unit);
    job = await start();
  }
  const result = await resultOf(bus, job[0]);
  if (result !== "done") throw new Error(`the job of ${unit} ended as ${result}`);
}

/** Stop `unit`, whose processes have been killed; one that is gone is fine. */
export async function stopScope(unit: string): Promise<void> {
  using bus = await openBus();
  try {
    const [job] = await bus.call(MANAGER_PATH, MANAGER, "StopUnit", "ss", [unit, "replace"]);
    // A scope whose last process has just ended may be gone with its job, of which then nothing is said.
    await bus.signal(({ body, member }) =>
      member === "UnitRemoved" ? body[0] === unit : member === "JobRemoved" && body[1] === job,
    );
  } catch (error) {
    if (refusalOf(error) !== "org.freedesktop.systemd1.NoSuchUnit") throw error;
  }
  await forget(bus, unit);
}

/** Change properties of a running unit, until the next boot. */
export async function changeScope(unit: string, properties: Properties): Promise<void> {
  if (properties.length === 0) return;
  using bus = await openBus();
  await bus.call(MANAGER_PATH, MANAGER, "SetUnitProperties", "sba(sv)", [unit, true, entries(properties)]);
}

async function forget(bus: Bus, unit: string): Promise<void> {
  try {
    await bus.call(MANAGER_PATH, MANAGER, "ResetFailedUnit", "s", [unit]);
  } catch {
    // It is not there, or has not failed.
  }
}

/** How a job ended: `JobRemoved(id, job, unit, result)`. */
async function resultOf(bus: Bus, job: Value | undefined): Promise<string> {
  const { body } = await bus.signal(({ body, member }) => member === "JobRemoved" && body[1] === job);
  return String(body[3]);
}

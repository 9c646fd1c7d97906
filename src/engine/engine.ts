import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createNames } from "../container/names.ts";
import { compileDefaultPolicy } from "../container/spec/security.ts";
import { createStore } from "../container/store.ts";
import { createReservations } from "../network/reservations.ts";
import { remove } from "./containers/remove.ts";
import { restore } from "./containers/restore.ts";
import { start } from "./containers/start.ts";
import type { Context } from "./context.ts";
import { createEvents } from "./events.ts";
import { probe } from "./execs/probe.ts";
import { machine } from "./facts.ts";
import { lockRoot } from "./lock.ts";
import { NAMES } from "./networks/files.ts";
import { createInsides } from "./networks/insides.ts";
import { createNaming } from "./networks/naming.ts";
import { tellNeighbours } from "./networks/neighbours.ts";
import { createVolumeMounts } from "./volume-mounts.ts";

/** One engine: what every operation in this folder takes as its first argument. */
export type Engine = Context;

/** The pieces that an engine is put together from. */
export type EngineParts = Pick<
  Context,
  | "root"
  | "run"
  | "runPlan"
  | "holdPlan"
  | "images"
  | "volumes"
  | "networks"
  | "links"
  | "ports"
  | "firewall"
  | "owner"
  | "launcher"
  | "cgroups"
  | "report"
>;

/**
 * Puts an engine together and takes up what an earlier one left. The root must be locked (`lockRoot`).
 */
export async function createEngine(parts: EngineParts): Promise<Engine> {
  // Contexts of builds that were cut short.
  rmSync(join(parts.root, "builds"), { recursive: true, force: true });
  for (const folder of ["containers", "execs", "exec-records", "subpaths", NAMES]) {
    mkdirSync(join(parts.run, folder), { recursive: true, mode: 0o710 });
  }
  const engine: Engine = {
    ...parts,
    store: createStore(join(parts.root, "containers"), (record, error) =>
      parts.report(`Cannot save container ${record.name}: ${String(error)}`),
    ),
    containers: new Map(),
    volumeMounts: createVolumeMounts(parts.volumes, parts.runPlan, parts.report),
    warnings: [],
    names: createNames(),
    execs: new Map(),
    reservations: createReservations(),
    insides: createInsides(parts.runPlan, parts.report),
    remembered: new Map(),
    naming: createNaming(parts.report, (networks) => tellNeighbours(engine, networks)),
    events: createEvents(),
    follow: {
      restart: (container) => start(engine, container, { restarting: true }),
      remove: (container) => remove(engine, container, { volumes: true, force: true }),
      probe: (container, check, cancelled) => probe(engine, container, check, cancelled),
    },
  };
  compileDefaultPolicy(machine());
  await restore(engine);
  return engine;
}

export { lockRoot };

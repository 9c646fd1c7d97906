import { closeSync, openSync } from "node:fs";
import type { ContainerRecord } from "../../container/record.ts";
import { isBeside } from "../../network/drivers/parent.ts";
import { removeInsidePlan } from "../../network/wires/inside.ts";
import { reasonOf } from "../../oci/error.ts";
import type { RunPlan } from "../../storage/kernel.ts";
import type { Place } from "./wires.ts";

/**
 * Interfaces beside those of the host that containers got while they ran. They have no end on the host, and go with
 * their namespace, which the kernel takes down some time after the last process; until then nobody else can have their
 * addresses. What a start makes the keeper removes; for these the engine holds the namespace, and removes them.
 */
export interface Insides {
  /** The container runs, and got an interface, or an earlier engine gave it one. */
  hold(record: Pick<ContainerRecord, "id" | "state">): void;
  /** It has ended, or is on other networks. @param gone interfaces that go */
  release(record: Pick<ContainerRecord, "id">, gone: readonly Place[]): void;
  /** When the removals so far are done. */
  settled(): Promise<unknown>;
}

/** None so far. */
export function createInsides(runPlan: RunPlan, report: (message: string) => void): Insides {
  const held = new Map<string, number>();
  const removals = new Set<Promise<void>>();

  const remove = async (namespace: number, names: readonly string[]): Promise<void> => {
    try {
      if (names.length > 0) await runPlan(removeInsidePlan(`/proc/${process.pid}/fd/${namespace}`, names));
    } catch (error) {
      report(`Cannot remove the interfaces of a container that has ended: ${reasonOf(error)}`);
    } finally {
      closeSync(namespace);
    }
  };

  return {
    hold({ id, state }) {
      const before = held.get(id);
      if (before !== undefined) closeSync(before);
      held.delete(id);
      try {
        held.set(id, openSync(`/proc/${state.pid}/ns/net`, "r"));
      } catch {
        // It has ended just now.
      }
    },
    release({ id }, gone) {
      const namespace = held.get(id);
      if (namespace === undefined) return;
      held.delete(id);
      const names = gone.filter(({ network }) => isBeside(network)).map(({ live }) => live.interface);
      const removal = remove(namespace, names).finally(() => removals.delete(removal));
      removals.add(removal);
    },
    settled: () => Promise.all(removals),
  };
}

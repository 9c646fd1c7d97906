import type { Plan } from "../../plan/step.ts";
import type { NetworkDocument } from "../document.ts";
import { bridgePlan } from "../wires/bridge.ts";
import { parentPlan } from "../wires/parent.ts";
import { driverOf } from "./drivers.ts";

/** What a network has of the host: its bridge, or the interface that its containers are beside. */
export interface HostLink {
  readonly name: string;
  /** One of that name that is there already will do, whoever has made it. */
  readonly anyones: boolean;
  /** Makes it. */
  readonly plan: () => Plan;
}

/** The link of a network; null for kinds that have none, and for a parent that only others can make. */
export function hostLink(network: NetworkDocument): HostLink | null {
  const driver = driverOf(network);
  const bridge = driver.bridge(network);
  if (bridge) return { name: bridge.name, anyones: false, plan: () => bridgePlan(bridge) };
  const parent = driver.parent(network);
  return parent && { name: parent.name, anyones: true, plan: () => parentPlan(parent) };
}

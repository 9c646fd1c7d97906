import type { Plan } from "../../plan/step.ts";
import type { Bridge, Endpoint } from "../endpoint.ts";

/** Plans that make and remove wires outside a launch. Each fails with a `StepError` and leaves what was. */
export interface Wires {
  /** Makes a bridge with its addresses, settings and MTU, and brings it up. */
  bridge(bridge: Bridge): Plan;
  /** Removes a bridge by name; one that is not there is fine. */
  removeBridge(name: string): Plan;
  /** Gives a running container a further interface. `pid` is its first process, on the host. */
  connect(pid: number, endpoint: Endpoint): Plan;
  /** Takes an interface away from a running container. */
  disconnect(pid: number, endpoint: Endpoint): Plan;
}

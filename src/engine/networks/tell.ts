import type { ContainerRecord } from "../../container/record.ts";
import type { NetworkDocument } from "../../network/document.ts";
import type { Context } from "../context.ts";

/** `create` and `destroy` of a network. */
export function tellNetworkItself(
  context: Context,
  { id, name, driver }: NetworkDocument,
  action: "create" | "destroy",
): void {
  context.events.emit("network", action, id, { name, type: driver });
}

/** `connect` and `disconnect` of a container. */
export function tellMember(
  context: Context,
  { id, name, driver }: NetworkDocument,
  { id: container }: ContainerRecord,
  action: "connect" | "disconnect",
): void {
  context.events.emit("network", action, id, { container, name, type: driver });
}

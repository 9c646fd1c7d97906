import type { ContainerRecord } from "../../container/record.ts";
import type { Context } from "../context.ts";
import type { Attributes } from "../events.ts";
import { fixedNetwork } from "../networks.ts";

/** An event of a container, with Docker's attributes: its labels, image and name, and `more`. */
export function tell(
  context: Context,
  { id, config, name }: ContainerRecord,
  action: string,
  more?: Attributes,
): void {
  context.events.emit("container", action, id, {
    ...config.Labels,
    ...more,
    image: config.Image ?? "",
    name,
  });
}

/** Networks that exist in this version: each container is on one of them, by itself. */
export function networkOf(mode: string | undefined): { readonly name: string; readonly type: string } | null {
  switch (mode ?? "default") {
    case "host":
      return { name: "host", type: "host" };
    case "none":
      return { name: "none", type: "null" };
    case "default":
    case "bridge":
    case "":
      return { name: "bridge", type: "bridge" };
    default:
      return null;
  }
}

/** `connect` and `disconnect` of the container's network. */
export function tellNetwork(
  context: Context,
  record: ContainerRecord,
  action: "connect" | "disconnect",
): void {
  const network = networkOf(record.host.NetworkMode);
  if (!network) return;
  context.events.emit("network", action, fixedNetwork(network.name).Id, { container: record.id, ...network });
}

/** `mount` and `unmount` of the container's volumes. */
export function tellVolumes(context: Context, record: ContainerRecord, action: "mount" | "unmount"): void {
  for (const mount of record.mounts) {
    if (mount.Type !== "volume" || !mount.Name) continue;
    const common = { container: record.id, driver: mount.Driver ?? "local" };
    context.events.emit(
      "volume",
      action,
      mount.Name,
      action === "unmount"
        ? common
        : {
            ...common,
            destination: mount.Destination,
            "read/write": String(mount.RW),
            propagation: mount.Propagation,
          },
    );
  }
}

import type { ContainerRecord } from "../../container/record.ts";
import type { Context } from "../context.ts";
import type { Attributes } from "../events.ts";

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

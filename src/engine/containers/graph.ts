import { join } from "node:path";
import type { GraphDriver } from "../../wire/inspect.ts";
import type { Context } from "../context.ts";

/** Where a container's files are on this machine, as Docker tells it for its overlay driver. */
export function graphDriver(context: Context, id: string): GraphDriver {
  const { name } = context.images.driver;
  try {
    const rootfs = context.images.driver.rootfs(id);
    if (rootfs.kind === "directory") return { Name: name, Data: { Directory: rootfs.path } };
    const at = (path: string): string => (path.startsWith("/") ? path : join(rootfs.base, path));
    return {
      Name: name,
      Data: {
        LowerDir: rootfs.lower.map(at).join(":"),
        UpperDir: at(rootfs.upper),
        WorkDir: at(rootfs.work),
      },
    };
  } catch {
    // The snapshot is gone: the rest of the container can still be told.
    return { Name: name, Data: null };
  }
}

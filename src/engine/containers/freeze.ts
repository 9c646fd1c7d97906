import { freeze, thaw } from "../../cgroup/freeze.ts";
import { type Container, serially } from "../container.ts";
import type { Context } from "../context.ts";
import { allowed } from "./find.ts";
import { endHealth, watchHealth } from "./health.ts";
import { tell } from "./tell.ts";

/** Where a container's processes are, relative to each cgroup tree. */
export const cgroupOf = (context: Context, { record }: Container): string =>
  `${record.host.CgroupParent || context.cgroups.cgroup}/${record.id}`;

/** Stops every process of the container until `unpause`. */
export const pause = (context: Context, container: Container): Promise<void> =>
  serially(container, async () => {
    allowed(container, "pause");
    // A probe that runs is ended first: frozen, it could not be.
    endHealth(container);
    const { state } = container.record;
    try {
      await freeze(context.cgroups.layout, cgroupOf(context, container));
      state.status = "paused";
      context.store.save(container.record);
    } catch (error) {
      // Refused as a whole, also where only the disk is full.
      if (state.status === "paused") await thaw(context.cgroups.layout, cgroupOf(context, container));
      state.status = "running";
      watchHealth(context, container);
      throw error;
    }
    tell(context, container.record, "pause");
  });

/** Lets its processes go on. */
export const unpause = (context: Context, container: Container): Promise<void> =>
  serially(container, async () => {
    allowed(container, "unpause");
    await thaw(context.cgroups.layout, cgroupOf(context, container));
    container.record.state.status = "running";
    watchHealth(context, container);
    context.store.save(container.record);
    tell(context, container.record, "unpause");
  });

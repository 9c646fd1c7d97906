import { killAll } from "../cgroup/kill.ts";
import { readLayout } from "../cgroup/layout.ts";
import { remove as removeCgroup } from "../cgroup/remove.ts";
import { type Context, directoryOf } from "./context.ts";
import { runHooks } from "./hooks.ts";
import { readDocument, removeDirectory } from "./store.ts";

/**
 * End whatever is left of a container, and remove its cgroups and its directory. A failed hook is logged and hinders
 * nothing (runtime.md, "Lifecycle").
 */
export async function destroy(context: Context, id: string): Promise<void> {
  const document = readDocument(context.root, id);
  const layout = readLayout();
  await killAll(layout, document.cgroup);
  await removeCgroup(layout, document.cgroup);
  const failed = await runHooks(document, "poststop", "stopped");
  if (failed !== undefined) context.log.warn(failed);
  removeDirectory(directoryOf(context, id));
}

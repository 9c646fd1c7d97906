import { readLayout } from "../cgroup/layout.ts";
import { codeOf } from "../oci/error.ts";
import { clearCgroups } from "./cgroups.ts";
import { type Context, directoryOf } from "./context.ts";
import { runHooks } from "./hooks.ts";
import { processOf } from "./status.ts";
import { readDocument, removeDirectory } from "./store.ts";

/**
 * End whatever is left of a container, and remove its cgroups and its directory. A failed hook is logged and hinders
 * nothing (runtime.md, "Lifecycle").
 */
export async function destroy(context: Context, id: string): Promise<void> {
  const document = readDocument(context.root, id);
  const layout = readLayout();
  if (document.noCgroup === true) endFirst(directoryOf(context, id));
  const left = await clearCgroups(layout, document);
  if (left !== undefined) context.log.warn(left);
  const failed = await runHooks(document, "poststop", "stopped");
  if (failed !== undefined) context.log.warn(failed);
  removeDirectory(directoryOf(context, id));
}

/** What has no cgroup is ended by its first process. */
function endFirst(directory: string): void {
  const pid = processOf(directory);
  if (pid === undefined || pid === 0) return;
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (codeOf(error) !== "ESRCH") throw error;
  }
}

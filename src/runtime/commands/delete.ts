import { exactly } from "../arguments.ts";
import type { RuntimeCommand } from "../context.ts";
import { directoryOf } from "../context.ts";
import { destroy } from "../destroy.ts";
import { RuntimeError } from "../failure.ts";
import { conditionOf } from "../status.ts";
import { checkId, exists, isHalfMade, readDocument, removeDirectory } from "../store.ts";

/** `delete ID`: what is left of a container that has ended, or was never started; with `--force` of any. */
const remove: RuntimeCommand = {
  flags: { force: { short: "f" } },
  async run(context, given) {
    const [id = ""] = exactly(given, 1, "delete");
    const force = given.has("force");
    const directory = directoryOf(context, checkId(id));
    if (force && !exists(directory)) return 0;
    if (force && isHalfMade(directory)) {
      removeDirectory(directory);
      return 0;
    }
    const { status } = conditionOf(directory, readDocument(context.root, id));
    if (!force && (status === "running" || status === "paused" || status === "creating"))
      throw new RuntimeError(`cannot delete container ${id} that is not stopped: ${status}`);
    await destroy(context, id);
    return 0;
  },
};
export default remove;

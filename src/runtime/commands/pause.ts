import { freeze } from "../../cgroup/freeze.ts";
import { readLayout } from "../../cgroup/layout.ts";
import { exactly } from "../arguments.ts";
import { directoryOf, type RuntimeCommand } from "../context.ts";
import { RuntimeError } from "../failure.ts";
import { removeQuick } from "../quick.ts";
import { needsCgroup } from "../rootless.ts";
import { conditionOf } from "../status.ts";
import { readDocument } from "../store.ts";

/** `pause ID`: freeze every process of it. */
const pause: RuntimeCommand = {
  flags: {},
  async run(context, given) {
    const [id = ""] = exactly(given, 1, "pause");
    const document = readDocument(context.root, id);
    needsCgroup(document, "pause");
    const { status } = conditionOf(directoryOf(context, id), document);
    if (status !== "running" && status !== "created") throw new RuntimeError("container not running");
    // The front does not look whether a container is frozen.
    removeQuick(directoryOf(context, id));
    await freeze(readLayout(), document.cgroup);
    return 0;
  },
};
export default pause;

import { thaw } from "../../cgroup/freeze.ts";
import { readLayout } from "../../cgroup/layout.ts";
import { exactly } from "../arguments.ts";
import { directoryOf, type RuntimeCommand } from "../context.ts";
import { RuntimeError } from "../failure.ts";
import { needsCgroup } from "../rootless.ts";
import { conditionOf } from "../status.ts";
import { readDocument } from "../store.ts";

/** `resume ID`: let what was paused run on. */
const resume: RuntimeCommand = {
  flags: {},
  async run(context, given) {
    const [id = ""] = exactly(given, 1, "resume");
    const document = readDocument(context.root, id);
    needsCgroup(document, "resume");
    if (conditionOf(directoryOf(context, id), document).status !== "paused")
      throw new RuntimeError("container not paused");
    await thaw(readLayout(), document.cgroup);
    return 0;
  },
};
export default resume;

import { exactly } from "../arguments.ts";
import type { RuntimeCommand } from "../context.ts";
import { destroy } from "../destroy.ts";
import { RuntimeError, wordsOf } from "../failure.ts";
import { MAKE_FLAGS, makeContainer } from "../make.ts";
import { launch, launchAndWait } from "../program.ts";

/** `run ID`: create and start; unless detached, stay until it has ended, and clear it away. */
const run: RuntimeCommand = {
  flags: { ...MAKE_FLAGS, detach: { short: "d" }, keep: {}, "no-subreaper": {} },
  async run(context, given) {
    const [id = ""] = exactly(given, 1, "run");
    const stays = !given.has("detach");
    let code = 0;
    try {
      code = await makeContainer(context, id, given, { waits: false, stays }, async (it) => {
        if (stays) return await launchAndWait(it);
        launch(it);
        return 0;
      });
    } catch (error) {
      throw new RuntimeError(`cais-runtime run failed: ${wordsOf(error)}`);
    }
    if (stays && !given.has("keep")) await destroy(context, id);
    return code;
  },
};
export default run;

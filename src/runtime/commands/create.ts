import { exactly } from "../arguments.ts";
import type { RuntimeCommand } from "../context.ts";
import { RuntimeError, wordsOf } from "../failure.ts";
import { MAKE_FLAGS, makeContainer } from "../make.ts";
import { launch } from "../program.ts";

/** `create ID`: everything but the workload; its process waits for `start`. */
const create: RuntimeCommand = {
  flags: MAKE_FLAGS,
  async run(context, given) {
    const [id = ""] = exactly(given, 1, "create");
    try {
      await makeContainer(context, id, given, { waits: true, stays: false }, launch);
    } catch (error) {
      throw new RuntimeError(`cais-runtime create failed: ${wordsOf(error)}`);
    }
    return 0;
  },
};
export default create;

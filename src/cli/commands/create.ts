import { command } from "../command.ts";
import { createRequest } from "../container/config.ts";
import { makeContainer } from "../container/create.ts";
import { containerFlags } from "../container/flags.ts";
import { out } from "../output.ts";

export default command({
  name: "create",
  aliases: ["container create"],
  usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
  summary: "Make a container without starting it",
  flags: containerFlags,
  args: [1, Number.POSITIVE_INFINITY],
  stopAtFirst: true,
  async run({ engine }, options, [image = "", ...argv]) {
    const body = createRequest(options, { image, command: argv, detach: false });
    out(`${await makeContainer(engine, options, body)}\n`);
    return 0;
  },
});

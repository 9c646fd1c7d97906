import { waitContainer } from "../../client/containers.ts";
import { command } from "../command.ts";
import { each } from "../each.ts";

export default command({
  name: "wait",
  aliases: ["container wait"],
  usage: "CONTAINER [CONTAINER...]",
  summary: "Wait until containers end, then print their exit codes",
  flags: {},
  args: [1, Number.POSITIVE_INFINITY],
  run: ({ engine }, _, names) =>
    each(
      names,
      async (name) => (await waitContainer(engine, name, "not-running")).ended,
      (_name, { StatusCode }) => String(StatusCode),
    ),
});

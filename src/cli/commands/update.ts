import { updateContainer } from "../../client/containers.ts";
import { command } from "../command.ts";
import { containerFlags } from "../container/flags.ts";
import { limits, said } from "../container/resources.ts";
import { restartPolicy } from "../container/restart.ts";
import { each } from "../each.ts";
import { Failure } from "../failure.ts";
import { err } from "../output.ts";

const names = [
  "blkio-weight",
  "cpu-period",
  "cpu-quota",
  "cpu-rt-period",
  "cpu-rt-runtime",
  "cpu-shares",
  "cpus",
  "cpuset-cpus",
  "cpuset-mems",
  "memory",
  "memory-reservation",
  "memory-swap",
  "pids-limit",
  "restart",
] as const;
type Name = (typeof names)[number];
const flags = Object.fromEntries(names.map((name) => [name, containerFlags[name]])) as Pick<
  typeof containerFlags,
  Name
>;

export default command({
  name: "update",
  aliases: ["container update"],
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Change the limits of containers, also of running ones",
  flags,
  args: [1, Number.POSITIVE_INFINITY],
  async run({ engine }, options, containers, given) {
    if (given.size === 0) throw new Failure("you must provide one or more flags when using this command");
    const body = {
      ...said(limits(options)),
      // 0 and -1 both mean "no limit" here, absent means "as it is".
      ...(options["pids-limit"] !== undefined && { PidsLimit: options["pids-limit"] }),
      ...(options.restart !== undefined && { RestartPolicy: restartPolicy(options.restart) }),
    };
    const warnings: string[] = [];
    const code = await each(containers, async (name) => {
      warnings.push(...((await updateContainer(engine, name, body)).Warnings ?? []));
    });
    for (const warning of warnings) err(`${warning}\n`);
    return code;
  },
});

import { containerLogs, inspectContainer } from "../../client/containers.ts";
import { demultiplex, single } from "../../client/stream.ts";
import { command } from "../command.ts";
import { Failure } from "../failure.ts";
import { bool, text } from "../flags/flag.ts";
import { moment } from "../moment.ts";
import { pour } from "../output.ts";

export default command({
  name: "logs",
  aliases: ["container logs"],
  usage: "[OPTIONS] CONTAINER",
  summary: "Show the output of a container",
  flags: {
    details: bool("Show the log's extra attributes"),
    follow: bool("Go on with what is written from now on", { short: "f" }),
    since: text("Only what was written after this time (2026-01-02T13:23:37Z, or 42m ago)"),
    tail: text("How many lines from the end", { short: "n", shown: '"all"' }),
    timestamps: bool("Show the time of each line", { short: "t" }),
    until: text("Only what was written before this time"),
  },
  args: [1, 1],
  async run({ engine }, { since, until, ...options }, [name = ""]) {
    const { Id, Config } = await inspectContainer(engine, name);
    const response = await containerLogs(engine, Id, {
      ...options,
      since: since === undefined ? undefined : bound("since", since),
      until: until === undefined ? undefined : bound("until", until),
    });
    const source = response.next;
    for await (const { channel, bytes } of Config.Tty ? single(source) : demultiplex(source))
      await pour(channel === 1 ? 1 : 2, bytes);
    return 0;
  },
});

/** The time, or what is wrong with it and where. */
function bound(name: string, text: string): string {
  try {
    return moment(text);
  } catch (error) {
    throw new Failure(`invalid value for "${name}": ${(error as Error).message}`);
  }
}

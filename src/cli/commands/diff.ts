import { containerChanges } from "../../client/containers.ts";
import { command } from "../command.ts";
import { out } from "../output.ts";

const marks = ["C", "A", "D"] as const;

export default command({
  name: "diff",
  aliases: ["container diff"],
  usage: "CONTAINER",
  summary: "Show what a container has changed in its file system",
  flags: {},
  args: [1, 1],
  async run({ engine }, _, [name = ""]) {
    const changes = await containerChanges(engine, name);
    out(changes.map(({ Kind, Path }) => `${marks[Kind]} ${Path}\n`).join(""));
    return 0;
  },
});

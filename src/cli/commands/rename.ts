import { renameContainer } from "../../client/containers.ts";
import { command } from "../command.ts";

export default command({
  name: "rename",
  aliases: ["container rename"],
  usage: "CONTAINER NEW_NAME",
  summary: "Rename a container",
  flags: {},
  args: [2, 2],
  async run({ engine }, _, [name = "", renamed = ""]) {
    await renameContainer(engine, name, renamed);
    return 0;
  },
});

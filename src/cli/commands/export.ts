import { exportContainer } from "../../client/containers.ts";
import { command } from "../command.ts";
import { text } from "../flags/flag.ts";
import { saveStream } from "../savestream.ts";

export default command({
  name: "export",
  aliases: ["container export"],
  usage: "[OPTIONS] CONTAINER",
  summary: "Write the file system of a container as a tar archive",
  flags: { output: text("Write to a file in place of standard output", { short: "o" }) },
  args: [1, 1],
  own: () => true,
  run: ({ engine }, { output }, [name = ""]) => saveStream(output, () => exportContainer(engine, name)),
});

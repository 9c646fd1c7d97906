import { disconnectNetwork } from "../../client/networks.ts";
import { command } from "../command.ts";
import { bool } from "../flags/flag.ts";

export default command({
  name: "network disconnect",
  usage: "[OPTIONS] NETWORK CONTAINER",
  summary: "Take a container off a network",
  flags: { force: bool("Do not mind a container that does not exist", { short: "f" }) },
  args: [2, 2],
  async run({ engine }, { force }, [network = "", container = ""]) {
    await disconnectNetwork(engine, network, container, force);
    return 0;
  },
});

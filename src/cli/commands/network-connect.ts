import { connectNetwork } from "../../client/networks.ts";
import { command } from "../command.ts";
import { pairs } from "../container/environment.ts";
import { said } from "../container/resources.ts";
import { int, list, text } from "../flags/flag.ts";

export default command({
  name: "network connect",
  usage: "[OPTIONS] NETWORK CONTAINER",
  summary: "Put a container on a network",
  flags: {
    alias: list("Further names of the container on the network", { type: "strings" }),
    "driver-opt": list("Options of the interface (name=value)", { type: "strings" }),
    "gw-priority": int("The network with the highest leads everywhere else"),
    ip: text("IPv4 address"),
    ip6: text("IPv6 address"),
    link: list("Add a link to another container"),
    "link-local-ip": list("Link-local addresses", { type: "strings" }),
  },
  args: [2, 2],
  async run({ engine }, options, [network = "", container = ""]) {
    const addresses = said({
      IPv4Address: options.ip ?? "",
      IPv6Address: options.ip6 ?? "",
      LinkLocalIPs: options["link-local-ip"],
    });
    await connectNetwork(engine, network, container, {
      IPAMConfig: addresses,
      ...said({
        Links: options.link,
        Aliases: options.alias,
        DriverOpts: pairs(options["driver-opt"]),
        GwPriority: options["gw-priority"] ?? 0,
      }),
    });
    return 0;
  },
});

import { createNetwork } from "../../client/networks.ts";
import { command } from "../command.ts";
import { labels, pairs } from "../container/environment.ts";
import { said } from "../container/resources.ts";
import { bool, list, text } from "../flags/flag.ts";
import { poolsOf } from "../network/pools.ts";
import { err, out } from "../output.ts";

export default command({
  name: "network create",
  usage: "[OPTIONS] NETWORK",
  summary: "Make a network",
  flags: {
    attachable: bool("Let containers be connected by hand (of swarm networks; others always do)"),
    "aux-address": list("Addresses that other machines have (name=address)", { type: "map" }),
    "config-from": text("Network to take the configuration from"),
    "config-only": bool("Make a configuration for other networks, not a network"),
    driver: text("Driver of the network: bridge, macvlan or ipvlan", { short: "d", shown: '"bridge"' }),
    gateway: list("Gateway of a subnet", { type: "strings" }),
    ingress: bool("Make the routing mesh of a swarm"),
    internal: bool("Let nothing in or out"),
    "ip-range": list("Part of a subnet to give addresses from", { type: "strings" }),
    "ipam-driver": text("Driver of the addresses", { shown: '"default"' }),
    "ipam-opt": list("Options of the addresses' driver (name=value)", { type: "map" }),
    ipv4: bool("Give containers IPv4 addresses", { initial: true }),
    ipv6: bool("Give containers IPv6 addresses"),
    label: list("Set a label (name=value)"),
    opt: list("Options of the driver (name=value)", { short: "o", type: "map" }),
    scope: text("Scope of the network: local"),
    subnet: list("Block of addresses, 10.1.0.0/16", { type: "strings" }),
  },
  args: [1, 1],
  async run({ engine }, options, [name = ""]) {
    const pools = poolsOf(options);
    const made = await createNetwork(engine, {
      Name: name,
      Driver: options.driver ?? "bridge",
      EnableIPv4: options.ipv4,
      EnableIPv6: options.ipv6,
      Internal: options.internal,
      Attachable: options.attachable,
      Ingress: options.ingress,
      ConfigOnly: options["config-only"],
      ...said({
        Scope: options.scope ?? "",
        Labels: labels([], options.label),
        Options: pairs(options.opt),
      }),
      ...(options["config-from"] && { ConfigFrom: { Network: options["config-from"] } }),
      IPAM: {
        Driver: options["ipam-driver"] ?? "default",
        Options: pairs(options["ipam-opt"]),
        ...(pools.length > 0 && { Config: pools }),
      },
    });
    if (made.Warning) err(`WARNING: ${made.Warning}\n`);
    out(`${made.Id}\n`);
    return 0;
  },
});

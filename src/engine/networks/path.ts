import type { NetworkDocument } from "../../network/document.ts";
import { driverOf } from "../../network/drivers/drivers.ts";
import type { RuleReport } from "../../network/firewall/types.ts";
import { lookPlan, type NamespaceView, readLook } from "../../network/wires/look.ts";
import type { NetworkPath, PathContainer, PathLink } from "../../wire/path.ts";
import type { Context } from "../context.ts";

/**
 * The whole path of a network, read from the kernel: the host's interface, each container's with its other end,
 * addresses, routes, and the rules with their counters.
 */
export async function networkPath(context: Context, network: NetworkDocument): Promise<NetworkPath> {
  const members = [...context.containers.values()].flatMap(({ record }) => {
    const live = Object.values(record.endpoints).find((one) => one.live?.networkId === network.id)?.live;
    return live?.interface ? [{ record, live }] : [];
  });
  const { output } = await context.runPlan(lookPlan(members.map(({ record }) => record.state.pid)));
  const views = readLook(output);
  const host = views.get(0);
  const containers = members.flatMap(({ record, live }): PathContainer[] => {
    const inside = linkOf(views.get(record.state.pid), live.interface);
    if (inside === null) return [];
    return [{ Id: record.id, Name: record.name, Inside: inside, Outside: linkOf(host, live.host) }];
  });
  const link = driverOf(network).link(network, "");
  const upper = link === null ? "" : link.driver === "bridge" ? link.bridge : link.parent;
  const rules = network.driver === "bridge" ? await context.firewall.rules() : [];
  return {
    Host: linkOf(host, upper),
    Containers: containers,
    Rules: rules
      .filter(
        isOf(
          network,
          upper,
          members.map(({ record }) => record.name),
        ),
      )
      .map((rule) => ({
        Chain: rule.chain,
        Rule: rule.text,
        Comment: rule.comment,
        Packets: Number(rule.packets),
        Bytes: Number(rule.bytes),
      })),
  };
}

function linkOf(view: NamespaceView | undefined, name: string): PathLink | null {
  const link = view?.links.find((each) => each.name === name);
  if (!view || !link) return null;
  return {
    Name: link.name,
    Index: link.index,
    MacAddress: link.mac,
    MTU: link.mtu,
    Up: link.up,
    Addresses: view.addresses
      .filter(({ index }) => index === link.index)
      .map(({ address, bits }) => `${address}/${bits}`),
    Routes: view.routes
      .filter(({ index }) => index === link.index)
      .map(({ to, via }) => (via === undefined ? to : `${to} via ${via}`)),
  };
}

/** Rules name the bridge, or say in their comments which network or container they are for. */
const isOf =
  ({ name }: NetworkDocument, bridge: string, members: readonly string[]) =>
  ({ chain, comment, text }: RuleReport): boolean =>
    chain === `to-${bridge}` ||
    text.includes(`"${bridge}"`) ||
    comment.startsWith(`network ${name}: `) ||
    members.some((member) => comment.startsWith(`container ${member}: `));

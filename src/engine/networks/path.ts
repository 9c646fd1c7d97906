import type { NetworkDocument } from "../../network/document.ts";
import { driverOf } from "../../network/drivers/drivers.ts";
import { lookPlan, type NamespaceView, readLook } from "../../network/wires/look.ts";
import type { NetworkPath, PathEnd, PathLink } from "../../wire/network.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";

/**
 * The way from a network's containers to the host, as the kernel has it just now: both ends of each cable, the bridge,
 * addresses, routes, and the rules that name the network.
 */
export async function pathOf(context: Context, network: NetworkDocument): Promise<NetworkPath> {
  const members = [...context.containers.values()].filter(
    ({ record, running }) => running && record.state.pid > 0 && liveOn(record, network) !== undefined,
  );
  const { output } = await context.runPlan(lookPlan(members.map(({ record }) => record.state.pid)));
  const views = readLook(output);
  const host = views.get(0);
  const bridge = driverOf(network).bridge(network)?.name;
  const rules = bridge === undefined ? [] : await context.firewall.rules();
  return {
    Bridge: (bridge === undefined ? undefined : linkOf(host, bridge)) ?? null,
    Endpoints: members.flatMap((member) => endOf(member, network, views.get(member.record.state.pid), host)),
    Rules: rules
      .filter(({ chain, comment, text }) => isAbout({ chain, comment, text }, network, bridge ?? "", members))
      .map(({ bytes, chain, comment, packets, text }) => ({
        Chain: chain,
        Rule: text,
        Comment: comment,
        Packets: Number(packets),
        Bytes: Number(bytes),
      })),
  };
}

const liveOn = ({ endpoints }: Container["record"], { id }: NetworkDocument) =>
  Object.values(endpoints).find(({ live }) => live?.networkId === id)?.live ?? undefined;

function endOf(
  { record }: Container,
  network: NetworkDocument,
  inside: NamespaceView | undefined,
  host: NamespaceView | undefined,
): PathEnd[] {
  const live = liveOn(record, network);
  const link = inside === undefined || live === undefined ? undefined : linkOf(inside, live.interface);
  if (inside === undefined || live === undefined || link === undefined) return [];
  return [
    {
      Container: record.name,
      Inside: link,
      Outside: linkOf(host, live.host) ?? null,
      Routes: inside.routes
        .filter(({ index }) => index === link.Index)
        .map(({ to, via }) => (via === undefined ? to : `${to} via ${via}`)),
    },
  ];
}

function linkOf(view: NamespaceView | undefined, name: string): PathLink | undefined {
  const link = view?.links.find((each) => each.name === name);
  if (view === undefined || link === undefined) return undefined;
  const { rxBytes, rxPackets, txBytes, txPackets } = link.statistics;
  return {
    Name: link.name,
    Index: link.index,
    Kind: link.kind,
    Up: link.up,
    Mtu: link.mtu,
    MacAddress: link.mac,
    Addresses: view.addresses
      .filter(({ index }) => index === link.index)
      .map(({ address, bits }) => `${address}/${bits}`),
    Received: { Packets: Number(rxPackets), Bytes: Number(rxBytes) },
    Sent: { Packets: Number(txPackets), Bytes: Number(txBytes) },
  };
}

/** Rules say in their comments whom they are for. */
function isAbout(
  { chain, comment, text }: { readonly chain: string; readonly comment: string; readonly text: string },
  { name }: NetworkDocument,
  bridge: string,
  members: readonly Container[],
): boolean {
  return (
    chain === `to-${bridge}` ||
    text.includes(`"${bridge}"`) ||
    comment.startsWith(`network ${name}: `) ||
    members.some(({ record }) => comment.startsWith(`container ${record.name}: `))
  );
}

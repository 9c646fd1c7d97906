import { readFileSync } from "node:fs";
import { containerOf } from "../../container/spec/mode.ts";
import { type WaitingSocket, waitingSockets } from "../../kernel/sockets.ts";
import { isBeside } from "../../network/drivers/parent.ts";
import { nameOf, parsePort } from "../../network/ports/request.ts";
import { ways } from "../../network/reach/ways.ts";
import type { Reach, ReachWay } from "../../wire/reach.ts";
import type { Container } from "../container.ts";
import { find } from "../containers/find.ts";
import type { Context } from "../context.ts";
import { conflict, invalid } from "../refuse.ts";
import { firewallState } from "./firewall.ts";
import { placesOf } from "./wires.ts";

/**
 * Who reaches a port of a running container, and what decides it.
 * @param port `80`, `80/udp`
 * @throws Refusal (404) no such container, (400) no such port, (409) it does not run
 */
export async function reach(context: Context, reference: string, port: string): Promise<Reach> {
  const container = find(context, reference);
  const question = parsePort(port);
  if (question.protocol === "sctp") throw invalid("sctp cannot be followed: use tcp or udp");
  const donor = sharer(context, container);
  const { record } = donor;
  if (!donor.running) throw conflict(`container ${container.record.name} is not running`);
  const listening = waiting(record.state.pid, question.protocol).filter(
    (socket) => socket.port === question.containerPort,
  );
  const state = firewallState(context.networks.all().filter(context.links.has), context.ports.translated());
  const places = placesOf(context, record).flatMap(({ network, live }) => {
    const known = state.networks.find(({ id }) => id === network.id);
    const addresses = [live.ipv4, live.ipv6].flatMap((one) => (one ? [one.address] : []));
    return known && addresses.length > 0 ? [{ network: known, addresses }] : [];
  });
  const rules = await context.firewall.rules();
  const followed = ways(
    {
      container: record.name,
      port: question.containerPort,
      protocol: question.protocol,
      places,
      published: record.published ?? [],
    },
    state,
    rules,
  );
  const shared = record.host.NetworkMode === "host";
  return {
    container: container.record.name,
    port: nameOf(question),
    listening: [...new Set(listening.map(({ address }) => address))],
    open: listening.some(({ address }) => shared || !isLoopback(address)),
    ways: [...(shared ? [onHost(question.containerPort)] : elsewhere(context, donor)), ...followed],
    obstacles: (await context.firewall.obstacles()).flatMap(({ hook, message }) =>
      hook === "forward" ? [message] : [],
    ),
  };
}

/** The container whose network it is in the end. */
function sharer(context: Context, container: Container): Container {
  const donor = containerOf(container.record.host.NetworkMode);
  return donor === undefined ? container : sharer(context, find(context, donor));
}

const onHost = (port: number): ReachWay => ({
  from: "everybody",
  at: `this host, port ${port}`,
  reached: true,
  why: "its network is the host's own: no rule of ours is passed",
  rule: "",
  packets: null,
});

/** Networks that are not bridges: what happens on them is decided by the network that their parent is on. */
const elsewhere = (context: Context, { record }: Container): ReachWay[] =>
  placesOf(context, record)
    .filter(({ network }) => isBeside(network))
    .map(({ network, live }) => ({
      from: `network ${network.name}`,
      at: live.ipv4?.address ?? live.ipv6?.address ?? "",
      reached: true,
      why: `${network.driver}: it is on the network of the parent interface; this host itself does not reach it there`,
      rule: "",
      packets: null,
    }));

const isLoopback = (address: string): boolean => address.startsWith("127.") || address === "::1";

function waiting(pid: number, protocol: "tcp" | "udp"): readonly WaitingSocket[] {
  return [protocol, `${protocol}6`].flatMap((file) => {
    try {
      return waitingSockets(readFileSync(`/proc/${pid}/net/${file}`, "utf8"));
    } catch {
      // No IPv6 in this kernel, or the process has just ended.
      return [];
    }
  });
}

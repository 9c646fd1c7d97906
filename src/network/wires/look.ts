import { CLONE } from "../../kernel/flags.ts";
import { type Answer, answers, u32Of } from "../../kernel/netlink/decode.ts";
import { listAddresses } from "../../kernel/netlink/route/address.ts";
import {
  decodeAddresses,
  decodeLinks,
  decodeRoutes,
  type ListedAddress,
  type ListedLink,
  type ListedRoute,
} from "../../kernel/netlink/route/decode.ts";
import { listLinks } from "../../kernel/netlink/route/link.ts";
import { listRoutes } from "../../kernel/netlink/route/route.ts";
import { call, close, from, mem, num, struct, u32 } from "../../plan/build.ts";
import type { Plan, Step } from "../../plan/step.ts";
import { openNetlink } from "./socket.ts";

/** What the kernel says of one network namespace. */
export interface NamespaceView {
  readonly links: readonly ListedLink[];
  readonly addresses: readonly ListedAddress[];
  readonly routes: readonly ListedRoute[];
}

const SOCKET = "look";

/** Asks for the host's links, addresses and routes, and for those of the containers whose first processes these are. */
export function lookPlan(pids: readonly number[]): Plan {
  return Object.freeze({ steps: [...lists(0), ...pids.flatMap(inContainer)] });
}

/** One that has ended in the meantime has nothing to show. */
function inContainer(pid: number): Step[] {
  const why = "look at the container's network";
  const steps: Step[] = [
    call("pidfd_open", [num(pid), num(0)], why, { result: "container" }),
    call("setns", [from("container"), num(CLONE.NEWNET, "CLONE_NEWNET")], why),
    close("container", "close it"),
    ...lists(pid),
  ];
  return [{ kind: "attempt", tolerate: ["ESRCH"], steps, why }];
}

/** Before the lists of a namespace its pid is written, as a message that the kernel never sends. */
const MARK = 1;

function lists(pid: number): Step[] {
  const why = "read interfaces, addresses and routes";
  const mark = struct([u32(20, MARK, 0, 0, pid)]);
  return [
    openNetlink("route", SOCKET, why),
    call("write", [num(1), mem(mark, "whose they are"), num(20)], why),
    ...[listLinks(), listAddresses(), listRoutes()].map(
      (request): Step => ({ kind: "dump", socket: SOCKET, request, why }),
    ),
    close(SOCKET, "close it"),
  ];
}

/** What `lookPlan` wrote, by pid; the host's is 0. */
export function readLook(output: Uint8Array): ReadonlyMap<number, NamespaceView> {
  const parts = new Map<number, Answer[]>();
  let part: Answer[] = [];
  for (const answer of answers(output)) {
    if (answer.type === MARK) {
      part = [];
      parts.set(u32Of(answer.content) ?? 0, part);
    } else part.push(answer);
  }
  return new Map(
    [...parts].map(([pid, all]) => [
      pid,
      { links: decodeLinks(all), addresses: decodeAddresses(all), routes: decodeRoutes(all) },
    ]),
  );
}

import { CLONE, SOCKET } from "../../kernel/flags.ts";
import { batch, type Request } from "../../kernel/netlink/message.ts";
import { addAddress } from "../../kernel/netlink/route/address.ts";
import { type LinkRef, setLink } from "../../kernel/netlink/route/link.ts";
import { moveLink } from "../../kernel/netlink/route/move.ts";
import { lookPlan, readLook } from "../../network/wires/look.ts";
import { findLink, namedRequest, openNetlink, sendBatch, sendUnheard } from "../../network/wires/socket.ts";
import type { Linux } from "../../oci/runtime/linux.ts";
import { wrong } from "../../oci/runtime/read.ts";
import { call, close, from, mem, num, struct } from "../../plan/build.ts";
import { runPlan } from "../../plan/run.ts";
import type { Call, Data, Slot, Step } from "../../plan/step.ts";
import { awaitWord, tellChild } from "../../plan/sync.ts";
import { open } from "./files.ts";
import { openOfChild } from "./namespaces.ts";
import type { Because } from "./reasons.ts";

/**
 * Interfaces of the machine that a container gets (config-linux.md, "Network Devices"): moved, renamed, with the
 * addresses that are for good, and up. When a later step fails they go back as they were; when the container ends
 * the kernel does with them what it does with every interface whose network namespace ends.
 */

/** An interface to move, as it is now. */
export interface NetDevice {
  readonly name: string;
  /** What it is called in the container; with `%d` the kernel finds a number. */
  readonly inside: string;
  readonly up: boolean;
  readonly addresses: readonly { readonly address: string; readonly bits: number }[];
}

/**
 * What `linux.netDevices` asks for, with the addresses that the kernel takes away from an interface that moves.
 * @throws Refusal that names the field
 */
export async function readNetDevices({ netDevices = {} }: Linux): Promise<readonly NetDevice[]> {
  const wanted = Object.entries(netDevices);
  if (wanted.length === 0) return [];
  const { addresses, links } = readLook((await runPlan(lookPlan([]))).output).get(0) ?? {
    addresses: [],
    links: [],
  };
  return wanted.map(([name, device]) => {
    const link = links.find((each) => each.name === name);
    if (link === undefined) throw wrong(`linux.netDevices.${name}`, "this machine has no such interface");
    return {
      name,
      inside: device.name ?? name,
      up: link.up,
      addresses: addresses.filter(({ index, lasting }) => lasting && index === link.index),
    };
  });
}

const OUTSIDE: Slot = "devices-outside";
const INSIDE: Slot = "devices-inside";
const OWN_NETWORK: Slot = "own-network";
const UNDO = "devices.undo";
const RESTORE = "devices.restore";

const isTemplate = ({ inside }: NetDevice) => inside.includes("%d");
const outsideRef = ({ name }: NetDevice): LinkRef => ({ name, index: { slot: `device ${name}` } });
/** One that gets a name from the kernel is known by its number, which it must keep. */
const insideRef = (device: NetDevice): LinkRef =>
  isTemplate(device)
    ? { name: device.inside, index: outsideRef(device).index }
    : { name: device.inside, index: { slot: `device inside ${device.inside}` } };

/** The steps of the launch program around the clone, and those of the child. */
export interface NetDeviceSteps {
  readonly before: readonly Step[];
  readonly after: readonly Step[];
  readonly forget: readonly Step[];
  readonly wait: readonly Step[];
}

/** Nothing without devices. */
export function moveNetDevices(devices: readonly NetDevice[], because: Because): NetDeviceSteps {
  if (devices.length === 0) return { before: [], after: [], forget: [], wait: [] };
  const field = (device: NetDevice) => `linux.netDevices.${device.name}`;
  return {
    before: [
      openNetlink("route", OUTSIDE, "reach the machine's networks"),
      ...devices.flatMap((device) => {
        const reason = because(field(device), `find ${device.name}`, "the machine has no such interface");
        return findLink(OUTSIDE, device.name, slotOf(outsideRef(device)), reason, `device ${device.name}`)
          .steps;
      }),
    ],
    after: [
      ...openInside(devices),
      ...devices.flatMap((device) => {
        const reason = (why: string, hint?: string) => because(field(device), why, hint);
        return [
          ...(isTemplate(device) ? [] : [nameIsFree(device, because)]),
          moveStep(device, because),
          ...(isTemplate(device)
            ? []
            : findLink(
                INSIDE,
                device.inside,
                slotOf(insideRef(device)),
                reason(`find ${device.inside} in the container`),
                `inside ${device.inside}`,
              ).steps),
          ...rememberIn(device, devices),
          sendBatch(
            INSIDE,
            configuration(device, insideRef(device)).map((request) => ({
              kind: "message",
              request,
              ...reason(`let ${device.inside} be as it was`),
            })),
          ),
        ] satisfies Step[];
      }),
      tellChild("tell the container that its interfaces are there"),
    ],
    forget: [close(OUTSIDE, "leave it to the creator")],
    wait: [awaitWord("wait until the machine's interfaces are there")],
  };
}

const slotOf = ({ index }: LinkRef): Slot => (typeof index === "number" ? "" : index.slot);

/** As runc has it: what an address brings along, such as its route, needs an interface that is up. */
function configuration({ addresses }: NetDevice, link: LinkRef): Request[] {
  return [
    setLink(link, { up: true }),
    ...addresses.map(({ address, bits }) => addAddress(link, address, bits)),
  ];
}

/** A socket in the child's network, whose undo brings back what has been moved. */
function openInside(devices: readonly NetDevice[]): Step[] {
  const why = "reach the container's network";
  const enter = (slot: Slot) => call("setns", [from(slot), num(CLONE.NEWNET, "CLONE_NEWNET")], { why });
  return [
    open("/proc/self/ns/net", OWN_NETWORK, { why: "find the way back" }, ["RDONLY"]),
    ...openOfChild("ns/net", "network", "RDONLY", { why }),
    enter("network"),
    openNetlink("route", INSIDE, why, undos(devices)),
    enter(OWN_NETWORK),
    close("network", "close it"),
  ];
}

const returns = (devices: readonly NetDevice[]): Request[] =>
  devices.map((device) =>
    moveLink(
      { ...insideRef(device), index: { slot: slotOf(insideRef(device)) } },
      { name: device.name, netns: { fd: { slot: OWN_NETWORK } } },
    ),
  );

const restores = (devices: readonly NetDevice[]): Request[] =>
  devices.flatMap((device) =>
    device.up ? configuration(device, outsideRef(device)) : addressesOnly(device),
  );

const addressesOnly = (device: NetDevice): Request[] => configuration(device, outsideRef(device)).slice(1);

function undos(devices: readonly NetDevice[]): Call[] {
  const send = (socket: Slot, requests: readonly Request[], name: string) =>
    sendUnheard(
      socket,
      requests,
      "give the machine its interfaces back",
      struct([batch("route", requests).bytes], name),
    );
  const restored = restores(devices);
  return [
    send(INSIDE, returns(devices), UNDO),
    ...(restored.length === 0 ? [] : [send(OUTSIDE, restored, RESTORE)]),
  ];
}

/** Fill in what the undo needs of this device: there is no interface 0, so what has not been moved stays. */
function rememberIn(device: NetDevice, devices: readonly NetDevice[]): Step[] {
  const why = "be able to give it back";
  const place = devices.indexOf(device);
  const holesOf = (requests: readonly Request[], name: string, own: (index: number) => boolean): Step[] => {
    const data: Data = struct([batch("route", requests).bytes], name);
    let at = 0;
    return requests.flatMap((request, index) => {
      const { bytes, holes } = batch("route", [request]);
      const start = at;
      at += bytes.length;
      if (!own(index)) return [];
      return holes.map(
        ({ offset, slot }): Step => ({ kind: "store", slot, to: data, offset: start + offset, size: 4, why }),
      );
    });
  };
  const before = restores(devices.slice(0, place)).length;
  const count = restores([device]).length;
  return [
    ...holesOf(returns(devices), UNDO, (index) => index === place),
    ...holesOf(restores(devices), RESTORE, (index) => index >= before && index < before + count),
  ];
}

/** The kernel moves first and renames then, and would leave an interface there under its old name. */
function nameIsFree(device: NetDevice, because: Because): Step {
  const { inside, name } = device;
  const reason = because(
    `linux.netDevices.${name}`,
    `see that the container has no ${inside} yet`,
    "choose another name for it",
  );
  const request: Data = struct([namedRequest(inside)], `free ${inside}`);
  return {
    kind: "attempt",
    tolerate: ["ENODEV"],
    ...reason,
    steps: [
      call("ioctl", [from(INSIDE), num(SOCKET.SIOCGIFINDEX, "SIOCGIFINDEX"), mem(request, inside)], reason),
      { kind: "expect", from: request, offset: 16, size: 4, is: "eq", value: 0, errno: "EEXIST", ...reason },
    ],
  };
}

function moveStep(device: NetDevice, because: Because): Step {
  const { inside, name } = device;
  const link = outsideRef(device);
  const request = moveLink(link, {
    name: inside,
    netns: { pid: { slot: "child" } },
    ...(isTemplate(device) ? { index: link.index } : {}),
  });
  return sendBatch(OUTSIDE, [
    {
      kind: "message",
      request,
      ...because(`linux.netDevices.${name}`, `move ${name} into the container`),
      hints: {
        EINVAL: "it cannot leave its network namespace, as loopbacks, bridges and tunnels of all cannot",
        EEXIST: "the container has an interface of that name: choose another one",
        EBUSY: "the container has an interface of that number: give this one a name without %d",
      },
    },
  ]);
}

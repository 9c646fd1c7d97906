import { type NetFiles, netFilesOf } from "../../container/netfiles.ts";
import type { ContainerRecord } from "../../container/record.ts";
import type { SpecFacts } from "../../container/spec/facts.ts";
import { containerOf } from "../../container/spec/mode.ts";
import { Refusal, type RefusalKind } from "../../oci/error.ts";
import type { HostConfig } from "../../wire/container.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { namesFolder } from "../networks/files.ts";
import { conflict, invalid } from "../refuse.ts";
import { find } from "./find.ts";

const MODES = { network: "NetworkMode", pid: "PidMode", ipc: "IpcMode", uts: "UTSMode" } as const;
type Joinable = keyof typeof MODES;

/**
 * A container that another one's configuration names.
 * @param kind how it is refused when it is not there: 400, for clients read 404 on create as a missing image, and pull
 */
export function findNamed(
  context: Context,
  reference: string,
  purpose: string,
  kind: RefusalKind = "invalid",
): Container {
  try {
    return find(context, reference);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new Refusal(kind, `${purpose}: ${error.message}`);
  }
}

/**
 * All containers whose namespaces are asked for must be there, and are kept by their ids: names change hands.
 * @throws Refusal (400) when one is not there
 */
export function joinedById(context: Context, host: HostConfig): HostConfig {
  const modes = (Object.keys(MODES) as Joinable[]).flatMap((type) => {
    const reference = containerOf(host[MODES[type]]);
    if (reference === undefined) return [];
    return [[MODES[type], `container:${findNamed(context, reference, PURPOSE[type]).record.id}`] as const];
  });
  return { ...host, ...Object.fromEntries(modes) };
}

/**
 * Whom a container joins, at its start.
 * @throws Refusal when one of them does not run, is gone, or keeps its shared memory to itself
 */
export function joinedFacts(
  context: Context,
  host: HostConfig,
): Pick<SpecFacts, "joined" | "sharedMemory"> & Partial<Pick<SpecFacts, "files">> {
  const pids: Partial<Record<Joinable, number>> = {};
  for (const type of Object.keys(MODES) as Joinable[]) {
    const donor = joined(context, host, type);
    if (donor === undefined) continue;
    const { record, running } = donor;
    if (!running) throw notRunning(type, record);
    if (type === "ipc") checkShareable(donor);
    pids[type] = running.pid;
  }
  const network = joined(context, host, "network");
  return {
    joined: pids,
    ...(network && { files: sharedFiles(context, network.record) }),
    ...(pids.ipc === undefined ? {} : { sharedMemory: `/proc/${pids.ipc}/root/dev/shm` }),
  };
}

/** One network has one name and one set of addresses: both are those of the container that is joined, as in Docker. */
export function shareNames(context: Context, record: ContainerRecord): void {
  const donor = joined(context, record.host, "network")?.record;
  if (!donor) return;
  const { Hostname = "", Domainname = "" } = donor.config;
  record.config = { ...record.config, Hostname, Domainname };
}

/** The files about names and addresses of the container whose network it is in the end. */
function sharedFiles(context: Context, record: ContainerRecord): NetFiles {
  const donor = joined(context, record.host, "network");
  return donor ? sharedFiles(context, donor.record) : netFilesOf(namesFolder(context, record));
}

function joined(context: Context, host: HostConfig, type: Joinable): Container | undefined {
  const reference = containerOf(host[MODES[type]]);
  return reference === undefined ? undefined : findNamed(context, reference, PURPOSE[type], GONE[type]);
}

/** How Docker begins to say that a namespace cannot be joined, and how it answers when its container is gone. */
const PURPOSE = {
  network: "joining network namespace of container",
  pid: "failed to join PID namespace",
  ipc: "failed to join IPC namespace",
  uts: "failed to join UTS namespace",
} as const satisfies Record<Joinable, string>;
const GONE = { network: "failed", pid: "failed", ipc: "invalid", uts: "invalid" } as const satisfies Record<
  Joinable,
  RefusalKind
>;

/** The sentence and the answer (pid: 500, others 409) are Docker's. */
function notRunning(type: Joinable, { id, name, state }: ContainerRecord): Refusal {
  if (type === "network") {
    return conflict(
      `cannot join network namespace of a non running container: container ${name} is ${state.status}`,
    );
  }
  const message = `${PURPOSE[type]}: container ${id} is not running`;
  return type === "pid" ? new Refusal("failed", message) : conflict(message);
}

/** The `/dev/shm` of other modes is nobody else's. */
function checkShareable({ record }: Container): void {
  const mode = record.host.IpcMode ?? "";
  if (mode === "shareable" || mode === "host" || containerOf(mode) !== undefined) return;
  throw invalid(
    `container ${record.id}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
  );
}

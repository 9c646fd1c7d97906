import { type NetFiles, netFilesOf } from "../../container/netfiles.ts";
import type { ContainerRecord } from "../../container/record.ts";
import type { SpecFacts } from "../../container/spec/facts.ts";
import { containerOf } from "../../container/spec/mode.ts";
import { Refusal } from "../../oci/error.ts";
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
 * @throws Refusal (400) when it is not there: clients read 404 on create as a missing image, and pull
 */
export function findNamed(context: Context, reference: string, purpose: string): Container {
  try {
    return find(context, reference);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw invalid(`${purpose}: ${error.message}`);
  }
}

/**
 * The configuration with every container whose namespaces are asked for by its id, so that it is still found when it
 * is called otherwise, as in Docker.
 * @throws Refusal (400): one of them is not there
 */
export function joinedById(context: Context, host: HostConfig): HostConfig {
  const modes = (Object.keys(MODES) as Joinable[]).flatMap((type) => {
    const donor = joined(context, host, type);
    return donor === undefined ? [] : [[MODES[type], `container:${donor.record.id}`] as const];
  });
  return modes.length === 0 ? host : { ...host, ...Object.fromEntries(modes) };
}

/**
 * Whom a container joins, at its start.
 * @throws Refusal (409) when one of them does not run, (400) when it keeps its shared memory to itself
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
    if (!running) {
      throw conflict(
        `cannot join ${type} namespace of a non running container: container /${record.name} is ${record.state.status}`,
      );
    }
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
  return reference === undefined
    ? undefined
    : findNamed(context, reference, `joining ${type} namespace of container`);
}

/** The `/dev/shm` of other modes is nobody else's. */
function checkShareable({ record }: Container): void {
  const mode = record.host.IpcMode ?? "";
  if (mode === "shareable" || mode === "host" || containerOf(mode) !== undefined) return;
  throw invalid(
    `container ${record.id}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
  );
}

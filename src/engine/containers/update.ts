import { badPolicy } from "../../container/restart.ts";
import { wrongResources } from "../../container/spec/validate-resources.ts";
import type { HostConfig } from "../../wire/container.ts";
import { type Container, serially } from "../container.ts";
import type { Context } from "../context.ts";
import { machine } from "../facts.ts";
import { updateLimits } from "../launch.ts";
import { conflict, invalid } from "../refuse.ts";
import { allowed } from "./find.ts";
import { tell } from "./tell.ts";

/** Limits that Docker lets change, and the restart policy. */
const FIELDS = [
  "CpuShares",
  "CpuPeriod",
  "CpuQuota",
  "CpuRealtimePeriod",
  "CpuRealtimeRuntime",
  "CpusetCpus",
  "CpusetMems",
  "NanoCpus",
  "BlkioWeight",
  "Memory",
  "MemoryReservation",
  "MemorySwap",
  "PidsLimit",
  "RestartPolicy",
] as const satisfies readonly (keyof HostConfig)[];

/** Changes limits, of a running container at once. @returns warnings */
export const update = (
  context: Context,
  container: Container,
  asked: Readonly<Record<string, unknown>>,
): Promise<string[] | null> =>
  serially(container, async () => {
    allowed(container, "update");
    const { record } = container;
    const changed: Record<string, unknown> = {};
    for (const name of FIELDS) {
      const value = asked[name];
      // Clients send every field; what is zero or empty is left as it is.
      if (value === undefined || value === null || value === "") continue;
      // Of 0 processes, which cannot be, Docker makes no limit.
      if (value === 0 && name !== "PidsLimit") continue;
      if (name === "RestartPolicy" && !(value as { readonly Name?: string }).Name) continue;
      changed[name] = value;
    }
    const conflicting = conflictWithNow(record.host, changed);
    if (conflicting !== undefined) throw conflict(`Cannot update container ${record.id}: ${conflicting}`);
    const host: HostConfig = { ...record.host, ...(changed as HostConfig) };
    const wrong = badPolicy(host.RestartPolicy, false) || wrongResources(host, machine(), true);
    if (wrong) throw invalid(wrong);
    if (container.running) updateLimits(context, container, host);
    // No limit is told as 0, however it was asked for.
    record.host = (host.PidsLimit ?? 0) < 0 ? { ...host, PidsLimit: 0 } : host;
    context.store.save(record);
    tell(context, record, "update");
    return null;
  });

/** Docker's sentence where the change contradicts what the container has. */
function conflictWithNow(now: HostConfig, change: HostConfig): string | undefined {
  const policy = change.RestartPolicy?.Name ?? "no";
  if (now.AutoRemove && policy !== "no")
    return "Restart policy cannot be updated because AutoRemove is enabled for the container";
  // As much swap as memory, where nothing was said.
  const both = now.MemorySwap || 2 * (now.Memory ?? 0);
  if (both > 0 && !change.MemorySwap && (change.Memory ?? 0) > both)
    return "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time";
  if (now.NanoCpus) {
    if (change.CpuPeriod)
      return "Conflicting options: CPU Period cannot be updated as NanoCPUs has already been set";
    if (change.CpuQuota)
      return "Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set";
  }
  if (!change.NanoCpus) return undefined;
  if (now.CpuPeriod)
    return "Conflicting options: Nano CPUs cannot be updated as CPU Period has already been set";
  return now.CpuQuota
    ? "Conflicting options: Nano CPUs cannot be updated as CPU Quota has already been set"
    : undefined;
}

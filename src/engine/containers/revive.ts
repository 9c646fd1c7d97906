import type { ContainerRecord } from "../../container/record.ts";
import { containerOf } from "../../container/spec/mode.ts";
import { reasonOf } from "../../oci/error.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { start } from "./start.ts";

/** Starts at the same time: more would only wait for each other's disk. */
const AT_ONCE = 8;

/**
 * Starts containers whose policies ask for it, those that others need before these: whose namespaces they join, whose
 * volumes they take, to whom they have links. One that fails is reported; those that need it fail by themselves.
 */
export async function revive(context: Context, wanted: readonly Container[]): Promise<void> {
  const order = ordered(context, wanted);
  const place = new Map(order.map((container, index) => [container, index]));
  const begun: Promise<void>[] = [];
  const room = gate(AT_ONCE);
  for (const [index, container] of order.entries()) {
    // In a circle somebody is first: only what comes earlier is waited for.
    const before = needs(context, container.record).flatMap((one) => {
      const at = place.get(one);
      return at !== undefined && at < index ? [begun[at]!] : [];
    });
    begun.push(
      Promise.all(before)
        .then(() => room(() => start(context, container)))
        .then(
          () => undefined,
          (error: unknown) =>
            context.report(`Cannot start container ${container.record.name} again: ${reasonOf(error)}`),
        ),
    );
  }
  await Promise.all(begun);
}

/** Each after what it needs, otherwise the oldest first. */
function ordered(context: Context, wanted: readonly Container[]): readonly Container[] {
  const order: Container[] = [];
  const seen = new Set<Container>();
  const visit = (container: Container): void => {
    if (seen.has(container)) return;
    seen.add(container);
    for (const one of needs(context, container.record)) if (wanted.includes(one)) visit(one);
    order.push(container);
  };
  const oldest = wanted.toSorted((a, b) => (a.record.created < b.record.created ? -1 : 1));
  for (const container of oldest) visit(container);
  return order;
}

/** The containers that a container cannot do without. */
function needs(context: Context, { host }: ContainerRecord): readonly Container[] {
  const modes = [host.NetworkMode, host.PidMode, host.IpcMode, host.UTSMode];
  const references = [
    ...modes.map(containerOf),
    ...(host.VolumesFrom ?? []).map((word) => word.split(":", 1)[0]),
    ...(host.Links ?? []).map((word) => word.split(":", 1)[0]?.replace(/^\//, "")),
  ];
  return references.flatMap((reference) => {
    const found = reference ? context.names.find(reference) : undefined;
    const container = found?.kind === "one" ? context.containers.get(found.id) : undefined;
    return container ? [container] : [];
  });
}

/** Lets so many in at once. */
function gate(count: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = count;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    else free--;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}

import type { ContainerRecord } from "../../container/record.ts";
import type { Context } from "../context.ts";

const namesOf = ({ mounts }: Pick<ContainerRecord, "mounts">): string[] =>
  mounts.flatMap(({ Type, Name }) => (Type === "volume" && Name !== undefined ? [Name] : []));

/** Mounts the volumes that have to be, for `holder`. @throws Refusal; nothing is held then */
export async function holdVolumes(
  context: Context,
  record: Pick<ContainerRecord, "mounts">,
  holder: string,
): Promise<void> {
  try {
    for (const name of namesOf(record)) await context.volumeMounts.hold(name, holder);
  } catch (error) {
    await releaseVolumes(context, record, holder);
    throw error;
  }
}

/** Whoever held them does so no more. */
export async function releaseVolumes(
  context: Context,
  record: Pick<ContainerRecord, "mounts">,
  holder: string,
): Promise<void> {
  for (const name of namesOf(record)) await context.volumeMounts.release(name, holder);
}

/** The container of an earlier engine has them. */
export function knowVolumes(context: Context, record: ContainerRecord): void {
  for (const name of namesOf(record)) context.volumeMounts.known(name, record.id);
}

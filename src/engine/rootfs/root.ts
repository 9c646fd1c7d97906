import { mkdirSync, rmdirSync } from "node:fs";
import { mountRoot } from "../../container/launch/rootfs.ts";
import { MNT_DETACH } from "../../kernel/flags.ts";
import { call, num, str } from "../../plan/build.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";

/** A container's tree of files, there until it is closed. */
export interface Root {
  readonly path: string;
  readonly close: () => Promise<void>;
}

/** Those who use the mounted root of a container that does not run; the last one unmounts. */
const users = new Map<string, { count: number; ready: Promise<void> }>();

/**
 * The container's root: what its processes see when it runs, otherwise its snapshot, which is mounted until
 * everybody has closed it. Volumes are only in the former.
 */
export async function openRootOf(context: Context, { record, running }: Container): Promise<Root> {
  if (running) return { path: `/proc/${running.pid}/root`, close: async () => undefined };
  const path = await mounted(context, record.id);
  let open = true;
  return {
    path,
    async close() {
      if (open) await unmounted(context, record.id);
      open = false;
    },
  };
}

const placeOf = (context: Context, id: string): string => `${context.run}/mounts/${id}`;

async function mounted(context: Context, id: string): Promise<string> {
  const place = placeOf(context, id);
  const user = users.get(id) ?? { count: 0, ready: mount(context, id, place) };
  user.count++;
  users.set(id, user);
  try {
    await user.ready;
  } catch (error) {
    users.delete(id);
    throw error;
  }
  return place;
}

async function mount(context: Context, id: string, place: string): Promise<void> {
  mkdirSync(place, { recursive: true, mode: 0o700 });
  await context.runPlan({ steps: mountRoot(context.images.driver.rootfs(id), place) });
}

async function unmounted(context: Context, id: string): Promise<void> {
  const user = users.get(id);
  if (!user || --user.count > 0) return;
  users.delete(id);
  await unmount(context, placeOf(context, id));
}

/** Also for what an engine that was killed has left. */
export async function unmount(context: Context, place: string): Promise<void> {
  await context.runPlan({
    steps: [
      call(
        "umount2",
        [str(place), num(MNT_DETACH, "MNT_DETACH")],
        { why: "give the container's files back" },
        {
          tolerate: ["EINVAL", "ENOENT"],
        },
      ),
    ],
  });
  rmdirSync(place);
}

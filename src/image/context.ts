import type { ChainId, DiffId, Digest } from "../oci/digest.ts";
import type { SnapshotDriver } from "../storage/driver.ts";
import type { RunPlan } from "../storage/kernel.ts";
import type { Blobs } from "./blobs.ts";
import type { ImageUser } from "./images.ts";
import type { ImageStore, LayerBlob } from "./store.ts";

/** What happened to an image, for the engine's events. */
export type ImageEvent = "create" | "import" | "load" | "save" | "tag" | "untag" | "delete" | "prune";

/** `id` is empty where it is about no image in particular. */
export type OnImageEvent = (
  event: ImageEvent,
  id: Digest | "",
  attributes: Readonly<Record<string, string>>,
) => void;

/** Tells of an event with Docker's attributes: the image's labels, and a name or the id. */
export function tellImage(context: Context, event: ImageEvent, id: Digest, name: string = id): void {
  const labels = context.store.images.get(id)?.config.config?.Labels;
  context.onEvent(event, id, { ...labels, name });
}

/** What the operations on images share. */
export interface Context {
  readonly store: ImageStore;
  readonly blobs: Blobs;
  readonly driver: SnapshotDriver;
  readonly runPlan: RunPlan;
  /** Containers made from an image. */
  readonly usedBy: (id: Digest) => readonly ImageUser[];
  readonly onEvent: OnImageEvent;
  /** Content that an operation under way needs though no image names it yet. */
  readonly holds: Holds;
  /** Archives of layers that were just added, for the image to come. */
  readonly fresh: Map<DiffId, LayerBlob>;
}

/** Counts who needs what; the collector leaves it alone. */
export interface Holds {
  hold(...what: (Digest | ChainId)[]): () => void;
  has(what: Digest): boolean;
}

/** Nothing is held at first. */
export function openHolds(): Holds {
  const counts = new Map<Digest, number>();
  return {
    hold(...what) {
      for (const digest of what) counts.set(digest, (counts.get(digest) ?? 0) + 1);
      let held = true;
      return () => {
        if (!held) return;
        held = false;
        for (const digest of what) {
          const left = (counts.get(digest) ?? 1) - 1;
          if (left === 0) counts.delete(digest);
          else counts.set(digest, left);
        }
      };
    },
    has: (digest) => counts.has(digest),
  };
}

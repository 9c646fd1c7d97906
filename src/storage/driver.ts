import type { ChainId, DiffId } from "../oci/digest.ts";
import type { MergedView } from "./merged.ts";

/** Bytes in order, as they arrive; whoever reads is the one who sets the pace. */
export type Bytes = AsyncIterable<Uint8Array>;

/**
 * What a launch plan mounts as a container's root. An overlay's directories are relative to `base` unless they
 * start with "/": the plan changes to `base` first, so that 127 short names fit in one page of mount options.
 * It must mount with `OVERLAY_OPTIONS`, which keep an upper directory readable as a plain difference.
 */
export type Rootfs =
  | {
      readonly kind: "overlay";
      /** Absolute. */
      readonly base: string;
      /** Topmost first, at least one. */
      readonly lower: readonly string[];
      readonly upper: string;
      readonly work: string;
      /** No sync on unmount: what is above may be lost in a power cut. */
      readonly volatile?: boolean;
    }
  | { readonly kind: "directory"; readonly path: string; readonly readonly?: boolean };

/** Mount options that every overlay of ours has (kernel Documentation/filesystems/overlayfs.rst). */
export const OVERLAY_OPTIONS = "redirect_dir=off,metacopy=off,index=off";

/** A layer that was applied, or was there already. */
export interface AppliedLayer {
  readonly chainId: ChainId;
  readonly diffId: DiffId;
  /** Bytes of the files in it, as `docker images` counts them. */
  readonly size: number;
  /** False when the layer was there already: nothing was written. */
  readonly created: boolean;
}

/** What a path of a container is beside its image (`docker diff`): 0 modified, 1 added, 2 deleted. */
export interface Change {
  readonly Path: string;
  readonly Kind: 0 | 1 | 2;
}

/**
 * Stores layers and the writable snapshots on top of them. Layers never change once they are there and are
 * addressed by chain id; a snapshot is addressed by its container's id.
 *
 * Every call leaves either what was there before or the whole new thing, also when the process is killed in
 * the middle; what it had begun is removed by `recover`. Other drivers (btrfs, fuse-overlayfs) implement this
 * interface and run the same conformance suite.
 */
export interface SnapshotDriver {
  /** As `docker info` shows it. */
  readonly name: string;

  /** Removes what an earlier process left half made. To be called once, before anything else. */
  recover(): Promise<void>;

  /**
   * Unpacks an uncompressed layer tar (OCI image spec, layer.md) on top of `parent` and names it by its content.
   * Idempotent: resolves when the layer is there, whoever wrote it. The tar is read to its end. When `expected`
   * is given and the tar's digest differs, nothing is kept. Hostile tars are refused, nothing is kept.
   */
  apply(parent: ChainId | undefined, tar: Bytes, expected?: DiffId): Promise<AppliedLayer>;

  /** Whether the layer is there, whole. Cheap. */
  hasLayer(chain: ChainId): boolean;
  /** Layers that are there, in no order. */
  layers(): ChainId[];
  /** What a container on top of a layer sees, without a mount. */
  view(chain: ChainId | undefined): MergedView;
  /** The layer directly below one; undefined for the lowest and for one that is absent. */
  parent(chain: ChainId): ChainId | undefined;
  /** Bytes of the files of one layer; 0 for one that is absent. */
  layerSize(chain: ChainId): number;
  /** Removes one layer if it is there. The caller knows that nothing stands on it. */
  removeLayer(chain: ChainId): Promise<void>;

  /**
   * Makes the writable snapshot `id` on top of `chain` (on nothing when absent) and says what to mount.
   * It is on the way of every `create`: a driver that stacks makes three directories. Refused when there is one
   * of this id.
   */
  createWritable(
    id: string,
    chain: ChainId | undefined,
    options?: { readonly volatile?: boolean },
  ): Promise<Rootfs>;
  /** What to mount for a snapshot that exists; throws when it does not. */
  rootfs(id: string): Rootfs;
  /** Snapshots that are there, with the layer each stands on. */
  writables(): { readonly id: string; readonly chain: ChainId | undefined }[];
  /** Removes the snapshot if it is there. The caller knows that it is not mounted. */
  remove(id: string): Promise<void>;

  /** What the snapshot changed, as an uncompressed layer tar with OCI whiteouts. */
  diff(id: string): Bytes;
  /** What the snapshot changed, sorted by path. */
  changes(id: string): Promise<Change[]>;
  /** Bytes that the snapshot itself takes (`docker ps -s`). */
  usage(id: string): Promise<number>;

  /**
   * Gives a chain id to directories that already exist elsewhere (the built-in `host` image), topmost first,
   * with paths hidden from view. Only drivers that stack directories can: others throw.
   */
  adopt(chain: ChainId, directories: readonly string[], hidden: readonly string[]): Promise<void>;
}

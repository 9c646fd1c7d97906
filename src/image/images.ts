import type { ChainId, Digest } from "../oci/digest.ts";
import type { ImageConfig, ImageRunConfig } from "../oci/image.ts";
import type { PlatformName } from "../oci/platform.ts";
import type { Bytes, SnapshotDriver } from "../storage/driver.ts";
import type {
  ImageDeleted,
  ImageHistoryItem,
  ImageInspect,
  ImageSummary,
  ImagesPruned,
} from "../wire/image.ts";

/** An image at hand: everything a container needs from it. */
export interface Image {
  /** Digest of the configuration. */
  readonly id: Digest;
  /** Familiar names, sorted: `debian:12`. */
  readonly tags: readonly string[];
  readonly config: ImageConfig;
  /** The layer that names its whole root file system; absent when it has no layers. */
  readonly chain: ChainId | undefined;
  /** True for the built-in view of this machine, which has no archive and cannot be removed. */
  readonly builtIn: boolean;
}

/** A container that holds an image. */
export interface ImageUser {
  readonly id: string;
  readonly running: boolean;
}

/** A name for what an operation made, as the API takes it: `repo` may carry a tag itself. */
export interface Naming {
  readonly repo?: string;
  readonly tag?: string;
}

export interface ImportOptions extends Naming {
  /** Dockerfile instructions: `CMD ["/bin/sh"]`. */
  readonly changes?: readonly string[];
  readonly message?: string;
  /** `os[/arch[/variant]]`; this machine's when absent. */
  readonly platform?: string;
}

export interface CommitOptions extends Naming {
  readonly changes?: readonly string[];
  readonly comment?: string;
  readonly author?: string;
  /** The container's configuration, which the image takes over. */
  readonly config: ImageRunConfig;
  /** What it shall say instead; `changes` are applied to this. */
  readonly asked?: ImageRunConfig;
  /** Image the container was made from. */
  readonly image: Digest;
  /** Its snapshot. */
  readonly snapshot: string;
  /** What the container ran, for the history. */
  readonly createdBy?: string;
}

/** One message of a progress stream, as Docker writes them. */
export type ProgressMessage =
  | { readonly stream: string }
  | { readonly status: string; readonly id?: string }
  | { readonly aux: { readonly ID: string } }
  | { readonly error: string; readonly errorDetail: { readonly message: string; readonly code?: number } };

export type Progress = (message: ProgressMessage) => void;

/** Filters of `docker images` and of prune, as the API sends them: name → values. */
export type Filters = Readonly<Record<string, readonly string[]>>;

/**
 * The images of one engine. Every change is atomic: killed at any instruction, either the old or the new state
 * is there. Refusals are `Refusal`s with Docker's words.
 */
export interface Images {
  readonly driver: SnapshotDriver;

  /** One image by name, id, or the beginning of an id; undefined when there is none. Ambiguity throws. */
  find(nameOrId: string): Image | undefined;
  /** As `find`; throws "No such image: x". */
  get(nameOrId: string): Image;
  /** `shared`: also count what images share. */
  list(options?: {
    readonly all?: boolean;
    readonly filters?: Filters;
    readonly shared?: boolean;
  }): ImageSummary[];
  /** Images that were made from this one, or from nothing, newest first: what a build may use again. */
  childrenOf(id: Digest | undefined): readonly Image[];
  /** The image itself and those that it was made from, one of the other. */
  lineageOf(id: Digest): readonly Digest[];
  inspect(nameOrId: string): ImageInspect;
  history(nameOrId: string): ImageHistoryItem[];

  /** Refuses a malformed name; moves the name when another image has it. */
  tag(nameOrId: string, naming: Naming): Promise<void>;
  /** Docker's rules: a name is untagged, the last one deletes; refused while a container holds it. */
  remove(
    nameOrId: string,
    options?: { readonly force?: boolean; readonly noprune?: boolean },
  ): Promise<ImageDeleted[]>;
  /** Removes what no name and no container holds; with filter `dangling=false` what no container holds. */
  prune(filters?: Filters): Promise<ImagesPruned>;

  /** A root file system tar (plain, gzip, xz, zstd, bzip2) becomes an image of one layer. */
  import(archive: Bytes, options?: ImportOptions): Promise<Digest>;
  /** Docker's archive format or an OCI layout, in one tar; images of other platforms are left out. Nothing is kept of an archive with an error. */
  load(archive: Bytes, progress?: Progress, platform?: PlatformName): Promise<Digest[]>;
  /** Both formats in one tar, as Docker writes it since version 25. Throws before the first byte if it cannot. */
  save(namesOrIds: readonly string[]): Bytes;
  /** A container's snapshot becomes an image on top of the one it was made from. */
  commit(options: CommitOptions): Promise<Digest>;
  /** An image of given layers and configuration; what build ends with. The layers are there already. */
  create(config: ImageConfig, options?: Naming & { readonly parent?: Digest }): Promise<Digest>;
  /** Keeps a layer that `create` will name from being collected until the returned function is called. */
  addLayer(parent: ChainId | undefined, tar: Bytes): Promise<StoredLayer>;

  /** Documents that were found damaged and are not believed; a person must look. */
  damaged(): readonly string[];
}

/** A layer that was just added. */
export interface StoredLayer {
  readonly chainId: ChainId;
  readonly diffId: import("../oci/digest.ts").DiffId;
  readonly size: number;
  /** Lets go of it: from now on only an image that names it keeps it. */
  release(): void;
}

import type { ContainerConfig } from "./container.ts";
import type { GraphDriver } from "./inspect.ts";

/** `GET /images/json`: one image. */
export interface ImageSummary {
  readonly Id: string;
  readonly ParentId: string;
  readonly RepoTags: readonly string[] | null;
  readonly RepoDigests: readonly string[] | null;
  /** Seconds since 1970. */
  readonly Created: number;
  /** Bytes of all its layers. */
  readonly Size: number;
  /** -1 where it was not counted. */
  readonly SharedSize: number;
  /** The same as `Size`; of versions before 1.44. */
  readonly VirtualSize?: number;
  readonly Containers: number;
  readonly Labels: Readonly<Record<string, string>> | null;
}

/** `GET /images/{name}/json`. */
export interface ImageInspect {
  readonly Id: string;
  readonly RepoTags: readonly string[] | null;
  readonly RepoDigests: readonly string[] | null;
  readonly Parent: string;
  readonly Comment: string;
  readonly Created?: string;
  readonly DockerVersion: string;
  readonly Author: string;
  readonly Architecture: string;
  readonly Variant?: string;
  readonly Os: string;
  readonly Size: number;
  /** The same as `Size`; of versions before 1.44. */
  readonly VirtualSize?: number;
  readonly GraphDriver: GraphDriver;
  readonly RootFS: { readonly Type: string; readonly Layers?: readonly string[] };
  readonly Metadata: { readonly LastTagTime: string };
  readonly Config: ContainerConfig | null;
}

/** `GET /images/{name}/history`, newest first. */
export interface ImageHistoryItem {
  /** `<missing>` for layers that came from elsewhere. */
  readonly Id: string;
  readonly Created: number;
  readonly CreatedBy: string;
  readonly Tags: readonly string[] | null;
  readonly Size: number;
  readonly Comment: string;
}

/** `DELETE /images/{name}`: what happened, in order. */
export interface ImageDeleted {
  readonly Untagged?: string;
  readonly Deleted?: string;
}

/** `POST /images/prune`. */
export interface ImagesPruned {
  readonly ImagesDeleted: readonly ImageDeleted[] | null;
  readonly SpaceReclaimed: number;
}

/** `POST /commit`. */
export interface CommitCreated {
  readonly Id: string;
}

/** `POST /build/prune`. */
export interface BuildPruned {
  readonly CachesDeleted: readonly string[] | null;
  readonly SpaceReclaimed: number;
}

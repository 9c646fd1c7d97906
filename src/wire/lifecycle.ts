/** `POST /containers/create`. */
export interface ContainerCreated {
  readonly Id: string;
  readonly Warnings: readonly string[] | null;
}

/** `POST /containers/{id}/wait`: sent once the condition holds; the headers come at once. */
export interface ContainerWaited {
  readonly StatusCode: number;
  /** Why waiting itself failed. */
  readonly Error?: { readonly Message: string } | null;
}

/** `POST /containers/{id}/update`. */
export interface ContainerUpdated {
  readonly Warnings: readonly string[] | null;
}

/** `GET /containers/{id}/top`. */
export interface ContainerTop {
  readonly Titles: readonly string[];
  readonly Processes: readonly (readonly string[])[] | null;
}

/** `GET /containers/{id}/changes`: 0 changed, 1 added, 2 deleted. */
export interface FileChange {
  readonly Path: string;
  readonly Kind: 0 | 1 | 2;
}

/** `POST /containers/prune`. */
export interface ContainersPruned {
  readonly ContainersDeleted: readonly string[] | null;
  readonly SpaceReclaimed: number;
}

/** Header `X-Docker-Container-Path-Stat` of the archive routes: base64 of this as JSON. */
export interface PathStat {
  readonly name: string;
  readonly size: number;
  /** Go's `os.FileMode`, not the kernel's: the directory bit is 2^31, the link bit 2^27. */
  readonly mode: number;
  readonly mtime: string;
  /** Absolute in the container; empty when it is no link. */
  readonly linkTarget: string;
}

/** Every answer of 400 and above. */
export interface ErrorResponse {
  readonly message: string;
}

export type MountType = "bind" | "volume" | "tmpfs" | "image" | "npipe" | "cluster";

/** One entry of `HostConfig.Mounts` (`--mount`). */
export interface Mount {
  readonly Type?: MountType;
  /** A path of the host, a volume's name (empty: an anonymous one) or an image. */
  readonly Source?: string;
  readonly Target?: string;
  readonly ReadOnly?: boolean;
  /** `consistent`, `cached`, `delegated`, `default`: a word for other systems, without effect on Linux. */
  readonly Consistency?: string;
  readonly BindOptions?: BindOptions | null;
  readonly VolumeOptions?: VolumeOptions | null;
  readonly ImageOptions?: { readonly Subpath?: string } | null;
  readonly TmpfsOptions?: TmpfsOptions | null;
  readonly ClusterOptions?: object | null;
}

export type Propagation = "" | "private" | "rprivate" | "shared" | "rshared" | "slave" | "rslave";

export interface BindOptions {
  readonly Propagation?: Propagation;
  readonly NonRecursive?: boolean;
  readonly CreateMountpoint?: boolean;
  /** Read-only for the mount itself, not for what is mounted below it. */
  readonly ReadOnlyNonRecursive?: boolean;
  /** Refuse rather than fall back where the kernel cannot make a mount recursively read-only. */
  readonly ReadOnlyForceRecursive?: boolean;
}

export interface VolumeOptions {
  readonly NoCopy?: boolean;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly Subpath?: string;
  readonly DriverConfig?: {
    readonly Name?: string;
    readonly Options?: Readonly<Record<string, string>> | null;
  } | null;
}

export interface TmpfsOptions {
  readonly SizeBytes?: number;
  /** Permission bits, as a number. */
  readonly Mode?: number;
  /** `[["noexec"], ["size", "1k"]]`. */
  readonly Options?: readonly (readonly string[])[] | null;
}

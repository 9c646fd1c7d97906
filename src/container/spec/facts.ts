import type { Arch } from "../../kernel/arch.ts";
import type { CapabilityName } from "../../kernel/capabilities.ts";
import type { Device } from "../../oci/runtime/linux.ts";
import type { MountPoint } from "./mountpoint.ts";
import type { ResolvedUser } from "./user.ts";

/** What a runtime configuration needs to know beyond what was asked: read by the engine, at every start. */
export interface SpecFacts {
  /** The container's id. */
  readonly id: string;
  /** Where the root file system is mounted, or will be. */
  readonly rootfs: string;
  readonly arch: Arch;
  /** `uname -r`. */
  readonly kernel: string;
  readonly cgroupVersion: 1 | 2;
  /** Where containers' cgroups are when `--cgroup-parent` is not given: `/cais`. */
  readonly cgroupParent: string;
  /** What the engine itself may do (`ownCapabilities()`): "all" is no more than that. */
  readonly capabilities: readonly CapabilityName[];
  /** The user of the process, names resolved inside the image (`resolveUser`). */
  readonly user: ResolvedUser;
  /** The host name the container sees: its own, the host's or the joined container's. */
  readonly hostname: string;
  /** Generated files to be mounted over the image's, paths of the host. */
  readonly files: {
    readonly resolvConf?: string;
    readonly hostname?: string;
    readonly hosts?: string;
  };
  /** Directories of volumes (and of mounted images), by target. */
  readonly volumes: ReadonlyMap<string, string>;
  /** What `--volumes-from` adds. */
  readonly inherited?: readonly MountPoint[];
  /** What binds are, by target, that say nothing of it. */
  readonly bound?: ReadonlyMap<string, Partial<Pick<MountPoint, "propagation" | "below">>>;
  /** Pids of the containers that `container:ID` modes name. */
  readonly joined?: {
    readonly pid?: number;
    readonly ipc?: number;
    readonly network?: number;
    readonly uts?: number;
  };
  /** The directory behind `/dev/shm` with `--ipc shareable`, or that of the joined container. */
  readonly sharedMemory?: string;
  /** The device at a path of the host, or those below it if it is a directory; undefined where nothing is. */
  readonly devices: (path: string) => readonly Device[] | undefined;
  /** Every device of the host, for `--privileged`. */
  readonly hostDevices: () => readonly Device[];
  /** Whether a file of the host exists: paths that are masked only where the hardware has them. */
  readonly exists: (path: string) => boolean;
}

import type { PublishedPort } from "../network/ports/published.ts";
import type { Digest } from "../oci/digest.ts";
import type { ContainerConfig, HostConfig, NetworkingConfig } from "../wire/container.ts";
import type { Health } from "../wire/inspect.ts";
import type { MountPoint } from "../wire/summary.ts";
import { askedEndpoints, type SavedEndpoints } from "./endpoint.ts";
import type { ContainerId } from "./id.ts";
import { STATES, type State } from "./lifecycle.ts";
import type { MountPoint as Inherited } from "./spec/mountpoint.ts";

/** How a container is doing, as it is kept on disk. Times are RFC 3339 with nanoseconds. */
export interface SavedState {
  status: State;
  /** In the host's pid namespace; 0 when nothing runs. */
  pid: number;
  exitCode: number;
  /** Why the last start failed. */
  error: string;
  oomKilled: boolean;
  startedAt: string;
  finishedAt: string;
  restartCount: number;
  /** `stop` or `kill` ended it: restart policies leave it alone. */
  manuallyStopped: boolean;
  /** Only with a health check, from the first start on. */
  health?: Health;
}

/** What is known of a container: one document on disk. What may change is not `readonly`. */
export interface ContainerRecord {
  readonly format: 1;
  readonly id: ContainerId;
  name: string;
  readonly created: string;
  /** Digest of the image's configuration. */
  readonly image: Digest;
  /** What runs: the entrypoint and command, put together. */
  readonly path: string;
  readonly args: readonly string[];
  /** With what the image says filled in. */
  config: ContainerConfig;
  host: HostConfig;
  /** Its place on each of its networks; empty where the network is another container's. */
  endpoints: SavedEndpoints;
  /** Ports of the host that lead to it, while it runs. */
  published?: readonly PublishedPort[];
  readonly mounts: readonly MountPoint[];
  /** What `--volumes-from` brought when it was made: those containers may be gone since. Absent where it brought nothing. */
  readonly inherited?: readonly Inherited[];
  /** Its client is of before API 1.44: a bind is read-only without what is mounted below it. */
  readonly flatReadonly?: true;
  /** Volumes without a name that go with the container (`rm -v`, `--rm`). */
  readonly anonymous: readonly string[];
  readonly state: SavedState;
}

/**
 * A record from its document.
 * @returns null when it is damaged: cut short, full of zeros, or of another container
 */
export function parseRecord(text: string, id: string): ContainerRecord | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(value) || value.format !== 1 || value.id !== id) return null;
  const { state, config, host, mounts, args, anonymous } = value;
  const texts = [value.name, value.created, value.image, value.path];
  if (!texts.every((one) => typeof one === "string")) return null;
  if (![mounts, args, anonymous].every(Array.isArray)) return null;
  if (!isObject(config) || !isObject(host) || !isObject(state)) return null;
  if (!STATES.includes(state.status as State) || typeof state.exitCode !== "number") return null;
  if (value.endpoints !== undefined && !isObject(value.endpoints)) return null;
  // Documents of before there were networks have none.
  const endpoints = value.endpoints ?? askedEndpoints(host, value.networking as NetworkingConfig | null);
  return { ...value, endpoints } as unknown as ContainerRecord;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

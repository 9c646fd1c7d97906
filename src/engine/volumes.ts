import type { Volume, VolumeCreateRequest } from "../wire/volume.ts";

/** Named volumes, as the engine needs them; `src/volume` makes them. */
export interface Volumes {
  get(name: string): Volume | undefined;
  list(): Volume[];
  /** Idempotent: the volume that is there is returned. Without a name it is an anonymous one. */
  create(request: VolumeCreateRequest): Promise<Volume>;
  /** The caller knows that no container uses it. */
  remove(name: string, force: boolean): Promise<void>;
  usage(name: string): Promise<number>;
}

import { isUp } from "../../container/lifecycle.ts";
import type { ImageUser } from "../../image/images.ts";
import type { Digest } from "../../oci/digest.ts";
import type { Engine } from "../engine.ts";

/** The containers that hold an image: what the image store asks before it removes one. */
export function imageUsers(engine: Pick<Engine, "containers">, image: Digest): ImageUser[] {
  const users: ImageUser[] = [];
  for (const { record } of engine.containers.values()) {
    if (record.image === image) users.push({ id: record.id, running: isUp(record.state.status) });
  }
  return users;
}

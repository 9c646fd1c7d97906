import { unsupported } from "../../engine/refuse.ts";
import { replyJson } from "../failure.ts";
import { post, type Route } from "../route.ts";

/** Building images. */
export const build: readonly Route[] = [
  post("/build", () => {
    throw unsupported("build is not there yet");
  }),
  post("/build/prune", (_, exchange) => replyJson(exchange, { CachesDeleted: null, SpaceReclaimed: 0 })),
];

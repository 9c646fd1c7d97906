import type { Row } from "../../row.ts";
import { attaches } from "./attaches.ts";
import { type Engine, enginesOf } from "./engine.ts";
import { events } from "./events.ts";
import { lives } from "./lives.ts";
import { logs } from "./logs.ts";
import { idle, used } from "./memory.ts";
import { reads } from "./reads.ts";

/** What Docker's clients ask for, at both engines through the same connection. */
export const dockerApi: Row = {
  name: "docker-api",
  async measure(bench) {
    const engines: readonly Engine[] = enginesOf(bench);
    const resting = await idle(engines);
    return [
      ...(await lives(engines, bench)),
      ...(await reads(engines, bench)),
      ...(await attaches(engines, bench)),
      ...(await logs(engines, bench)),
      ...(await events(engines, bench)),
      ...resting,
      ...(await used(engines, bench)),
    ];
  },
};

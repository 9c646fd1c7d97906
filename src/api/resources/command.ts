import { notFound } from "../../engine/refuse.ts";
import { BUILD } from "../../wire/build.ts";
import { FRONT_HEADERS, FRONT_PATH } from "../../wire/front.ts";
import type { Hijacked } from "../http/exchange.ts";
import { post, type Route } from "../route.ts";

/** Runs the command of a front (`src/front`) until it has ended. */
export type RunCommand = (connection: Hijacked) => Promise<void>;

/** Where a front of the same build hands its command over. Others are told that there is no such page. */
export function commandRoute(run: RunCommand): Route {
  return post(FRONT_PATH, (_engine, exchange) => {
    if (BUILD === undefined || exchange.query.get("build") !== BUILD) throw notFound("page not found");
    return run(exchange.upgrade(FRONT_HEADERS));
  });
}

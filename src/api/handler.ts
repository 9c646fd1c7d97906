import { posix } from "node:path";
import type { Engine } from "../engine/engine.ts";
import { notFound } from "../engine/refuse.ts";
import { collectWhenQuiet } from "../host/memory.ts";
import { Refusal } from "../oci/error.ts";
import type { Handler } from "./http/connection.ts";
import type { Exchange } from "./http/exchange.ts";
import { decoded } from "./path.ts";
import type { Route } from "./route.ts";
import { createRouter } from "./router.ts";
import { routes } from "./routes.ts";
import { splitVersion } from "./version.ts";

const PLAIN = "text/plain; charset=utf-8";

/** Answers every request to the API. */
export function createHandler(engine: Engine, more: readonly Route[] = []): Handler {
  const router = createRouter([...routes, ...more]);
  return (exchange) => {
    collectWhenQuiet();
    const path = decoded(exchange.head.path);
    if (path === null) return exchange.reply(400, "400 Bad Request", PLAIN);
    const clean = cleaned(path);
    if (clean !== path) return moved(exchange, clean);
    const versioned = splitVersion(path);
    if ("sentence" in versioned) {
      if (versioned.plain) return exchange.reply(400, `${versioned.sentence}\n`, PLAIN);
      throw new Refusal("invalid", versioned.sentence);
    }
    // Docker's answer to every path, for pages that ask whether they may ask.
    if (exchange.head.method === "OPTIONS") return exchange.reply(200);
    const match = router.find(exchange.head.method, versioned.path);
    if (match === null) throw notFound("page not found");
    return match.handle({ engine, minor: versioned.minor }, exchange, match.parameters);
  };
}

/** Without `//`, `.` and `..`; names with such parts are never looked up. */
function cleaned(path: string): string {
  return /\/\.{0,2}(\/|$)/.test(path.replace(/(?<=.)\/$/, "")) ? posix.normalize(path) : path;
}

function moved(exchange: Exchange, path: string): void {
  const location = encodeURI(path) + (exchange.head.search === "" ? "" : `?${exchange.head.search}`);
  exchange.reply(301, "", "", { Location: location });
}

import type { Engine } from "../engine/engine.ts";
import { notFound } from "../engine/refuse.ts";
import { Refusal } from "../oci/error.ts";
import { fail } from "./failure.ts";
import type { Handler } from "./http/connection.ts";
import { createRouter } from "./router.ts";
import { routes } from "./routes.ts";
import { splitVersion } from "./version.ts";

/** Answers every request to the API. */
export function createHandler(engine: Engine): Handler {
  const router = createRouter(routes);
  return (exchange) => {
    const versioned = splitVersion(exchange.head.path);
    if (typeof versioned === "string") throw new Refusal("invalid", versioned);
    const match = router.find(exchange.head.method, versioned.path);
    if (match === "method") {
      fail(exchange, notFound(`${exchange.head.method} is no method of ${versioned.path.slice(0, 255)}`));
      return;
    }
    if (match === null) throw notFound("page not found");
    return match.handle({ engine, minor: versioned.minor }, exchange, match.parameters);
  };
}

import { Refusal } from "../oci/error.ts";
import type { Handler } from "./http/connection.ts";
import { decoded } from "./path.ts";
import { splitVersion } from "./version.ts";

/**
 * What reads a container's or an image's files, or its terminal. Dashboards do not need them, and they would give
 * away everything. The environment in `inspect` and what containers log stays visible: that is what dashboards show.
 */
const SECRET = [
  /^\/containers\/.+\/(attach\/ws|archive|export)$/,
  /^\/images\/get$/,
  /^\/images\/.+\/get$/,
] as const;

/** Lets through what only looks: everything else is answered with 403, before its body is read. */
export function readOnly(handler: Handler): Handler {
  return (exchange) => {
    const { method, path } = exchange.head;
    if (method !== "GET" && method !== "HEAD") {
      throw new Refusal(
        "forbidden",
        `${method} is not allowed here: this address serves the API for reading only`,
      );
    }
    const plain = decoded(path);
    const versioned = splitVersion(plain ?? path);
    if ("path" in versioned && SECRET.some((pattern) => pattern.test(versioned.path))) {
      throw new Refusal(
        "forbidden",
        "Reading files and terminals is not allowed here: this address serves the API for looking only",
      );
    }
    return handler(exchange);
  };
}

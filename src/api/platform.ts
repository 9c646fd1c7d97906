import { invalid } from "../engine/refuse.ts";
import type { PlatformName } from "../oci/platform.ts";
import type { Exchange } from "./http/exchange.ts";
import { readJson } from "./json.ts";

/**
 * The platforms that a query names, each as a JSON object (`{"os":"linux","architecture":"arm64"}`).
 * @throws Refusal (400) with Docker's sentences
 */
export const platformsOf = (exchange: Exchange, name: string): readonly PlatformName[] =>
  exchange.query
    .getAll(name)
    .filter((text) => text !== "")
    .map(parsed);

/** At most one of them. @throws Refusal as `platformsOf` */
export function platformOf(exchange: Exchange): PlatformName | undefined {
  const [platform, another] = platformsOf(exchange, "platform");
  if (another) throw invalid("multiple platform parameters not supported");
  return platform;
}

function parsed(text: string): PlatformName {
  const json = readJson(Buffer.from(text));
  if ("wrong" in json) throw invalid(`failed to parse platform: ${json.wrong}`);
  const { os, architecture, variant } = (json.value ?? {}) as Partial<Record<keyof PlatformName, unknown>>;
  if (typeof os !== "string" || typeof architecture !== "string" || os === "" || architecture === "")
    throw invalid("failed to parse platform: both OS and Architecture must be provided");
  return { os, architecture, ...(typeof variant === "string" && variant !== "" ? { variant } : {}) };
}

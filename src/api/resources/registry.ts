import type { Engine } from "../../engine/engine.ts";
import { invalid, unsupported } from "../../engine/refuse.ts";
import { isFor, parsePlatform } from "../../oci/platform.ts";
import {
  familiar,
  familiarName,
  InvalidReference,
  parseReference,
  type Reference,
  withDefaultTag,
} from "../../oci/reference.ts";
import type { Exchange } from "../http/exchange.ts";

/** A name as it was sent. @throws Refusal (400) */
export function parseName(text: string): Reference {
  try {
    return parseReference(text);
  } catch (error) {
    if (error instanceof InvalidReference) throw invalid(error.message);
    throw error;
  }
}

/**
 * `POST /images/create?fromImage=`: an image that is here is up to date, in Docker's words; others cannot be had
 * before there are registries.
 */
export function pull(engine: Engine, exchange: Exchange): void {
  const [image = "", tag = ""] = ["fromImage", "tag"].map((name) => exchange.query.get(name) ?? "");
  const joint = tag.includes(":") ? "@" : ":";
  const reference = withDefaultTag(parseName(tag === "" ? image : `${image}${joint}${tag}`));
  const name = familiar(reference);
  const platform = exchange.query.get("platform") ?? "";
  const here = engine.images.find(name)?.config;
  if (!here || (platform !== "" && !isFor(here, parsePlatform(platform)))) {
    throw unsupported(
      `Cannot pull ${name}${platform && ` for ${platform.slice(0, 80)}`}: this version of cais has no registries yet; import or load an archive, or use the image host`,
    );
  }
  const from = reference.domain === "docker.io" ? reference.path : `${reference.domain}/${reference.path}`;
  const messages = [
    { status: `Pulling from ${from}`, id: reference.tag ?? reference.digest },
    { status: `Status: Image is up to date for ${name}` },
  ];
  exchange.reply(200, messages.map((message) => `${JSON.stringify(message)}\r\n`).join(""));
}

/** `POST /images/{name}/push`: the stream begins as Docker's does and ends with why it goes no further. */
export function push(engine: Engine, exchange: Exchange, text: string): void {
  const reference = parseName(text);
  const tag = exchange.query.get("tag") ?? "";
  const name = tag === "" ? familiar(withDefaultTag(reference)) : `${familiarName(reference)}:${tag}`;
  const message = engine.images.find(name)
    ? `Cannot push ${name}: this version of cais has no registries yet; save an archive instead`
    : `An image does not exist locally with the tag: ${familiarName(reference)}`;
  const messages = [
    { status: `The push refers to repository [${reference.domain}/${reference.path}]` },
    { errorDetail: { message }, error: message },
  ];
  exchange.reply(200, messages.map((one) => `${JSON.stringify(one)}\r\n`).join(""));
}

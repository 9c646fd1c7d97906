import { isFor, type PlatformName, parsePlatform, platformText } from "../../oci/platform.ts";
import type { Engine } from "../engine.ts";
import { invalid, notFound } from "../refuse.ts";

/**
 * Refuses to make a container of an image that is of another platform than was asked for (`--platform`).
 * @param asked `os/arch[/variant]`; empty is any
 */
export function checkPlatform(engine: Pick<Engine, "images">, asked: string, name: string): void {
  if (asked === "") return;
  if (asked.split("/").length > 3) {
    throw invalid(`${JSON.stringify(asked.slice(0, 80))}: cannot parse platform specifier: invalid argument`);
  }
  if (name !== "" && engine.images.find(name)) mustBe(engine, parsePlatform(asked), name);
}

/** @throws Refusal (404) when the image is there for another platform, in Docker's words */
export function mustBe(
  engine: Pick<Engine, "images">,
  platform: PlatformName | undefined,
  name: string,
): void {
  if (!platform) return;
  const { config } = engine.images.get(name);
  if (isFor(config, platform)) return;
  throw notFound(
    `image with reference ${name} was found but its platform (${config.os}/${config.architecture}) does not match the specified platform (${platformText(platform)})`,
  );
}

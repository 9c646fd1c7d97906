import { parsePlatform } from "../../image/platform.ts";
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
  const { os, architecture, variant } = parsePlatform(asked);
  const config = name === "" ? undefined : engine.images.find(name)?.config;
  if (!config || (config.os === os && config.architecture === architecture)) return;
  const wanted = [os, architecture, ...(variant === undefined ? [] : [variant])].join("/");
  throw notFound(
    `image with reference ${name} was found but its platform (${config.os}/${config.architecture}) does not match the specified platform (${wanted})`,
  );
}

import { createImage } from "../../client/images.ts";
import type { Engine } from "../../client/request.ts";
import { parseReference } from "../../oci/reference.ts";
import { Failure } from "../failure.ts";
import { showProgress } from "./progress.ts";

export interface PullOptions {
  readonly platform?: string | undefined;
  readonly quiet?: boolean;
  /** Which descriptor the progress goes to. */
  readonly to: 1 | 2;
}

/** Asks the engine to pull an image and shows how it goes. @throws Failure when the engine cannot */
export async function pullImage(engine: Engine, image: string, it: PullOptions): Promise<void> {
  const { name, tag } = splitReference(image);
  const response = await createImage(engine, { fromImage: name, tag, platform: it.platform });
  await showProgress(response, it.quiet ? { quiet: true, to: it.to } : { to: it.to });
}

/** `name[:tag|@digest]` in two; without either, `latest` is meant. @throws Failure for what no name is */
export function splitReference(text: string): { readonly name: string; readonly tag: string } {
  try {
    parseReference(text);
  } catch (error) {
    throw new Failure(`Cannot use ${JSON.stringify(text)} as an image's name: ${(error as Error).message}`);
  }
  const at = text.indexOf("@");
  if (at >= 0) return { name: text.slice(0, at), tag: text.slice(at + 1) };
  const colon = text.lastIndexOf(":");
  return colon > text.lastIndexOf("/")
    ? { name: text.slice(0, colon), tag: text.slice(colon + 1) }
    : { name: text, tag: "latest" };
}

import { createContainer } from "../../client/containers.ts";
import { EngineError } from "../../client/error.ts";
import type { Engine } from "../../client/request.ts";
import { codeOf } from "../../oci/error.ts";
import type { ContainerCreateRequest } from "../../wire/container.ts";
import { caller } from "../caller/caller.ts";
import { Failure } from "../failure.ts";
import { files } from "../files.ts";
import { err } from "../output.ts";
import type { ContainerOptions } from "./config.ts";

/**
 * Makes a container, pulling its image first where `--pull` wants that; warnings go to standard error.
 * @returns its id
 */
export async function makeContainer(
  engine: Engine,
  options: ContainerOptions,
  body: ContainerCreateRequest,
): Promise<string> {
  const policy = options.pull ?? "missing";
  if (!["always", "missing", "never"].includes(policy))
    throw new Failure(`invalid pull option: '${policy}': must be one of "always", "missing" or "never"`, 125);
  const local = options.dns.find((server) => /^(?:127\.|::1$)/.test(server));
  if (local !== undefined) err(`WARNING: Localhost DNS (${local}) may fail in containers.\n`);
  const release = claimIdFile(options.cidfile);
  try {
    const image = body.Image ?? "";
    if (policy === "always") caller().own();
    if (policy === "always") await pull(engine, image, options);
    const id = await create(engine, options, body, policy === "missing");
    if (options.cidfile) files().writeFileSync(options.cidfile, id);
    return id;
  } catch (error) {
    release();
    throw error;
  }
}

async function create(
  engine: Engine,
  options: ContainerOptions,
  body: ContainerCreateRequest,
  mayPull: boolean,
): Promise<string> {
  const query = {
    ...(options.name !== undefined && { name: options.name }),
    ...(options.platform !== undefined && { platform: options.platform }),
  };
  try {
    const { Id, Warnings } = await createContainer(engine, body, query);
    for (const warning of Warnings ?? []) err(`WARNING: ${warning}\n`);
    return Id;
  } catch (error) {
    const image = body.Image ?? "";
    const absent =
      error instanceof EngineError && error.status === 404 && /no such image/i.test(error.message);
    if (!absent || !mayPull) throw error;
    // How far a pull is, is shown on a terminal.
    caller().own();
    if (!options.quiet) err(`Unable to find image '${withTag(image)}' locally\n`);
    await pull(engine, image, options);
    return create(engine, options, body, false);
  }
}

async function pull(engine: Engine, image: string, options: ContainerOptions): Promise<void> {
  const { pullImage } = await import("../image/pull.ts");
  await pullImage(engine, image, { platform: options.platform, quiet: options.quiet, to: 2 });
}

/** As people are told it: without a tag or digest, `latest` is meant. */
export function withTag(image: string): string {
  const last = image.slice(image.lastIndexOf("/") + 1);
  return last.includes(":") || last.includes("@") ? image : `${image}:latest`;
}

/** Refuses an id file that somebody else has written; takes ours back when nothing came of it. */
function claimIdFile(path: string | undefined): () => void {
  if (path === undefined) return () => {};
  try {
    files().writeFileSync(path, "", { flag: "wx" });
  } catch (error) {
    const code = codeOf(error);
    if (code !== "EEXIST")
      throw new Failure(
        `failed to create the container ID file: open ${path}: ${code === "ENOENT" ? "no such file or directory" : code}`,
        125,
      );
    throw new Failure(
      `container ID file found, make sure the other container isn't running or delete ${path}`,
      125,
    );
  }
  return () => {
    if (files().readFileSync(path, "utf8") === "") files().rmSync(path);
  };
}

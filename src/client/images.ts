import type {
  CommitCreated,
  ImageDeleted,
  ImageHistoryItem,
  ImageInspect,
  ImageSummary,
  ImagesPruned,
} from "../wire/image.ts";
import { type Filters, filterQuery } from "./containers.ts";
import type { Answer } from "./http.ts";
import { ask, type Engine, type Query, request, segment, tell } from "./request.ts";

/** Slashes of an image's name are part of the route. */
const at = (name: string, rest = "") =>
  `/images/${name
    .split("/")
    .map((part) => segment(part, "image"))
    .join("/")}${rest}`;

/** Images by filters; `all` includes those that are only parents. */
export function listImages(
  engine: Engine,
  query: { readonly all?: boolean; readonly filters?: Filters },
): Promise<readonly ImageSummary[]> {
  return ask(engine, "/images/json", {
    query: { all: query.all, filters: filterQuery(query.filters ?? {}) } as Query,
  });
}

/** @throws EngineError 404 when there is none */
export function inspectImage(engine: Engine, name: string): Promise<ImageInspect> {
  return ask(engine, at(name, "/json"));
}

/** Its layers and instructions, newest first. */
export function imageHistory(engine: Engine, name: string): Promise<readonly ImageHistoryItem[]> {
  return ask(engine, at(name, "/history"));
}

/** Gives it the name `repo:tag`, taking that from whoever has it. */
export function tagImage(engine: Engine, name: string, repo: string, tag: string): Promise<void> {
  return tell(engine, at(name, "/tag"), { query: { repo, tag } });
}

/** Removes a name, and the image with its last one. @throws EngineError 409 while a container uses it */
export function removeImage(
  engine: Engine,
  name: string,
  query: { readonly force?: boolean; readonly noprune?: boolean },
): Promise<readonly ImageDeleted[]> {
  return ask(engine, at(name), { method: "DELETE", query });
}

/** Removes images without a name, or all that no container uses (filter `dangling=false`). */
export function pruneImages(engine: Engine, filters: Filters): Promise<ImagesPruned> {
  return ask(engine, "/images/prune", { method: "POST", query: { filters: filterQuery(filters) } });
}

/** A stream of progress: pull with `fromImage`, import with `fromSrc`. */
export function createImage(
  engine: Engine,
  query: Query,
  body?: ReadableStream<Uint8Array>,
): Promise<Answer> {
  return request(engine, "/images/create", { method: "POST", query, ...(body && { body }) });
}

/** Images as one archive in Docker's format. */
export function saveImages(engine: Engine, names: readonly string[]): Promise<Answer> {
  return request(engine, "/images/get", { query: { names } });
}

/** Takes an archive of `saveImages` in. The answer is a stream of progress. */
export function loadImages(engine: Engine, tar: ReadableStream<Uint8Array>, quiet: boolean): Promise<Answer> {
  return request(engine, "/images/load", {
    method: "POST",
    query: { quiet: quiet ? "1" : "0" },
    headers: { "content-type": "application/x-tar" },
    body: tar,
  });
}

/** Builds from a context. The answer is a stream of progress; its `aux` has the id. */
export function buildImage(
  engine: Engine,
  query: Query,
  context: ReadableStream<Uint8Array>,
): Promise<Answer> {
  return request(engine, "/build", {
    method: "POST",
    query,
    headers: { "content-type": "application/x-tar" },
    body: context,
  });
}

/** Makes an image of what a container has changed; `changes` of the query are Dockerfile instructions. */
export async function commitContainer(engine: Engine, query: Query): Promise<string> {
  return (await ask<CommitCreated>(engine, "/commit", { method: "POST", query })).Id;
}

import type { PathStat } from "../wire/lifecycle.ts";
import type { Answer } from "./http.ts";
import { type Engine, request, segment, tell } from "./request.ts";

const route = (id: string) => `/containers/${segment(id)}/archive`;

/** What is at a path inside a container. @throws EngineError 404 when nothing is there */
export async function statPath(engine: Engine, id: string, path: string): Promise<PathStat> {
  return statOf(await request(engine, route(id), { method: "HEAD", query: { path } }));
}

/** A tar of a path inside a container, and what the path is. */
export async function getArchive(
  engine: Engine,
  id: string,
  path: string,
): Promise<{ readonly response: Answer; readonly stat: PathStat }> {
  const response = await request(engine, route(id), { query: { path } });
  return { response, stat: statOf(response) };
}

/** Unpacks a tar into a directory inside a container. */
export function putArchive(
  engine: Engine,
  id: string,
  path: string,
  tar: ReadableStream<Uint8Array>,
  copyUIDGID: boolean,
): Promise<void> {
  return tell(engine, route(id), {
    method: "PUT",
    query: { path, noOverwriteDirNonDir: "true", copyUIDGID },
    headers: { "content-type": "application/x-tar" },
    body: tar,
  });
}

function statOf(response: Answer): PathStat {
  const text = response.header("x-docker-container-path-stat");
  if (!text) throw new Error("Cannot read the engine's answer: it does not say what the path is");
  return JSON.parse(Buffer.from(text, "base64").toString()) as PathStat;
}

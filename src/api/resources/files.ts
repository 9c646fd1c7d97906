import { exportContainer, pathStat, readArchive, writeArchive } from "../../engine/containers/files.ts";
import { find } from "../../engine/containers/find.ts";
import { invalid } from "../../engine/refuse.ts";
import { Refusal } from "../../oci/error.ts";
import { replyJson } from "../failure.ts";
import type { Exchange } from "../http/exchange.ts";
import { flag } from "../request.ts";
import { get, head, parameter, put, type Route } from "../route.ts";
import { archive } from "./images.ts";

const STAT = "X-Docker-Container-Path-Stat";
const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64");

/** Docker cleans up nothing in what it is asked for; an empty path is refused. */
function pathOf(exchange: Exchange): string {
  const path = exchange.query.get("path") ?? "";
  if (path === "") throw invalid("bad parameter: path cannot be empty");
  return path;
}

/** Docker's sentence for what is not there repeats the request's words. */
function named(error: unknown, container: string, path: string): never {
  if (error instanceof Refusal && error.kind === "notFound") {
    throw new Refusal("notFound", `Could not find the file ${path} in container ${container}`);
  }
  if (error instanceof Refusal && error.message.startsWith("lstat ")) {
    throw new Refusal(error.kind, error.message.replace(/^lstat [^:]*/, `lstat ${path}`));
  }
  throw error;
}

/** The files of containers: what changed, all of them, some of them, more of them. */
export const files: readonly Route[] = [
  get("/containers/{id...}/changes", async (engine, exchange, parameters) => {
    const { record } = find(engine, parameter(parameters, "id"));
    const changes = await engine.images.driver.changes(record.id);
    replyJson(exchange, changes.length > 0 ? changes : null);
  }),
  get("/containers/{id...}/export", async (engine, exchange, parameters) =>
    archive(
      exchange,
      await exportContainer(engine, find(engine, parameter(parameters, "id"))),
      {},
      "application/octet-stream",
    ),
  ),
  head("/containers/{id...}/archive", async (engine, exchange, parameters) => {
    const container = find(engine, parameter(parameters, "id"));
    const path = pathOf(exchange);
    const stat = await pathStat(engine, container, path).catch((error: unknown) =>
      named(error, parameter(parameters, "id"), path),
    );
    exchange.reply(200, "", "", { [STAT]: encode(stat) });
  }),
  get("/containers/{id...}/archive", async (engine, exchange, parameters) => {
    const container = find(engine, parameter(parameters, "id"));
    const path = pathOf(exchange);
    const { stat, tar } = await readArchive(engine, container, path).catch((error: unknown) =>
      named(error, parameter(parameters, "id"), path),
    );
    await archive(exchange, tar, { [STAT]: encode(stat) });
  }),
  put("/containers/{id...}/archive", async (engine, exchange, parameters) => {
    const container = find(engine, parameter(parameters, "id"));
    await writeArchive(engine, container, pathOf(exchange), exchange.body.stream(), {
      keepKinds: flag(exchange, "noOverwriteDirNonDir"),
      own: flag(exchange, "copyUIDGID"),
    }).catch((error: unknown) => named(error, parameter(parameters, "id"), pathOf(exchange)));
    exchange.reply(200);
  }),
];

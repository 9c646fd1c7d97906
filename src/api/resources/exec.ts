import type { Peer } from "../../engine/containers/attach.ts";
import { allowed, find } from "../../engine/containers/find.ts";
import type { Engine } from "../../engine/engine.ts";
import { checkExec, createExec, findExec, inspectExec, startExec } from "../../engine/execs/execs.ts";
import { conflict, invalid, notFound } from "../../engine/refuse.ts";
import { execRequest } from "../../engine/requests.ts";
import type { ExecStartRequest } from "../../wire/exec.ts";
import { describe, replyJson } from "../failure.ts";
import { hijackType } from "../frames.ts";
import type { Exchange } from "../http/exchange.ts";
import { keysOf, peerOf } from "../peer.ts";
import { jsonBody } from "../request.ts";
import { get, parameter, post, type Route } from "../route.ts";
import { sizeOf } from "./containers.ts";

/** Further processes in containers. */
export const execs: readonly Route[] = [
  post("/containers/{id...}/exec", async (engine, exchange, parameters) => {
    const id = parameter(parameters, "id");
    const config = execRequest(await jsonBody(exchange));
    if (!config.Cmd?.length) throw invalid("No exec command specified");
    replyJson(exchange, { Id: createExec(engine, find(engine, id), config, { as: id }) }, 201);
  }),
  post("/exec/{id}/start", (engine, exchange, parameters, minor) =>
    startOne(engine, exchange, parameter(parameters, "id"), minor),
  ),
  post("/exec/{id}/resize", async (engine, exchange, parameters) => {
    const exec = findExec(engine, parameter(parameters, "id"));
    const size = sizeOf(exchange);
    const { record, running } = exec.container;
    if (!running) throw conflict(`container ${record.id} is not running`);
    // The stream of a start begins before the process does, and clients tell the size as soon as they have it.
    await exec.starting?.catch(() => undefined);
    if (exec.exitCode !== null) throw notFound(`exec ${exec.id} has ended`);
    if (!exec.running) throw conflict(`exec ${exec.id} is not running`);
    exec.running.resize(...size);
    exchange.reply(200);
  }),
  get("/exec/{id}/json", (engine, exchange, parameters) =>
    replyJson(exchange, inspectExec(findExec(engine, parameter(parameters, "id")))),
  ),
];

async function startOne(engine: Engine, exchange: Exchange, id: string, minor: number): Promise<void> {
  const request: ExecStartRequest = await jsonBody(exchange);
  const exec = findExec(engine, id);
  // An exec goes with the container's process: Docker says so before anything of the exec itself.
  allowed(exec.container, "exec");
  if (request.Detach) checkExec(exec);
  const terminal = exec.config.Tty ?? false;
  const detach = keysOf(exec.config.DetachKeys, terminal);
  const [rows, columns] = request.ConsoleSize ?? exec.config.ConsoleSize ?? [];
  const size = terminal && rows && columns ? { rows, columns } : null;
  if (request.Detach) {
    await startExec(engine, exec, { peer: null, detach, size });
    exchange.reply(200);
    return;
  }
  // How the stream is framed is what the start says, whatever the exec was made with.
  const raw = request.Tty ?? false;
  const connection = exchange.hijack(hijackType(exchange, raw, minor));
  const peer: Peer = peerOf(connection, raw, exec.config.AttachStdin ?? false);
  try {
    await startExec(engine, exec, { peer, detach, size });
  } catch (error) {
    // The answer has begun: the sentence goes where the output would have gone, as in Docker.
    peer.write("stdout", Buffer.from(`${describe(error).message}\r\n`));
    peer.end();
  }
  exchange.onClose(() => {
    exec.hub = null;
  });
}

import { createHub, type Hub } from "../../container/hub.ts";
import type { Running } from "../../container/launcher.ts";
import { type LogWriter, logWriter } from "../../container/logs/writer.ts";
import { collectWhenQuiet } from "../../host/memory.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { ended } from "./ended.ts";

/** Where a container's log is; Docker's name for the file. */
export const logPath = (context: Context, id: string): string => `${context.store.folder(id)}/${id}-json.log`;

/** The writer for one start; null when the driver keeps nothing. */
export function openLog(context: Context, container: Container): LogWriter | null {
  if (container.logOptions.driver === "none") return null;
  const { id, name } = container.record;
  return logWriter(logPath(context, id), container.logOptions, (error) => {
    context.report(`Cannot write the log of ${name}: ${error.message}; its output is lost`);
  });
}

/** The container's hub, made when it is first needed. */
export function hubOf(container: Container): Hub {
  container.hub ??= createHub();
  return container.hub;
}

/** From here on the engine is the process's company: its output to log and listeners, then its end. */
export function follow(context: Context, container: Container, running: Running): void {
  container.running = running;
  collectWhenQuiet();
  const log = openLog(context, container);
  container.log = log;
  const output = running.drain({
    write(stream, chunk) {
      log?.write(stream, chunk);
      return container.hub?.publish(stream, chunk);
    },
    journal: log,
  });
  for (const source of container.stdin ?? []) source.feed(running);
  container.stdin = null;
  container.ended = output
    .then(() => running.exited)
    .then((exit) => ended(context, container, running, exit))
    .catch((error: unknown) => context.report(`Cannot end ${container.record.name}: ${String(error)}`))
    .finally(() => {
      container.ended = null;
    });
}

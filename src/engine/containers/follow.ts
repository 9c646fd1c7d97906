import { createHub, type Hub } from "../../container/hub.ts";
import type { Running } from "../../container/launcher.ts";
import type { LogWriter } from "../../container/logs/writer.ts";
import { collectWhenQuiet } from "../../host/memory.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { ended } from "./ended.ts";

/** The container's hub, made when it is first needed. */
export function hubOf(container: Container): Hub {
  container.hub ??= createHub();
  return container.hub;
}

/** From here on the engine is the process's company: its output to log and listeners, then its end. */
export function follow(
  context: Context,
  container: Container,
  running: Running,
  log: LogWriter | null,
): void {
  container.running = running;
  collectWhenQuiet();
  container.log = log;
  const output = running.drain({
    write(stream, chunk) {
      const written = log?.write(stream, chunk);
      const published = container.hub?.publish(stream, chunk);
      return written && published ? Promise.all([written, published]) : (written ?? published);
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

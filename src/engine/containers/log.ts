import { join } from "node:path";
import { fileAttributes } from "../../container/logs/details.ts";
import { openDriver } from "../../container/logs/drivers/open.ts";
import { forwarding } from "../../container/logs/forward.ts";
import type { LogSubject } from "../../container/logs/subject.ts";
import { type LogWriter, logWriter, noLog } from "../../container/logs/writer.ts";
import type { ContainerRecord } from "../../container/record.ts";
import { Refusal, reasonOf } from "../../oci/error.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";

/** Docker's names for the files, below the container's folder. */
const FILES = {
  "json-file": (id: string) => `${id}-json.log`,
  local: () => "container.log",
  cache: () => "container-cached.log",
} as const;

/** Where a container's log is; null when none is kept. */
export function logPath(context: Context, { record, logOptions }: Container): string | null {
  const { file } = logOptions;
  return file ? `${context.store.folder(record.id)}/${FILES[file.kind](record.id)}` : null;
}

/**
 * The writer for one start; null when the driver keeps nothing.
 * @throws Refusal where the driver's receiver is not there
 */
export async function openLog(context: Context, container: Container): Promise<LogWriter | null> {
  const { logOptions, record } = container;
  if (logOptions.driver === "none") return null;
  const subject = subjectOf(record);
  const driver = await openDriver(logOptions, {
    subject,
    details: logOptions.details,
    programs: join(context.root, "programs"),
  }).catch((error: unknown) => {
    throw new Refusal("failed", `failed to initialize logging driver: ${reasonOf(error)}`, { cause: error });
  });
  const file = openFile(context, container, subject);
  if (!driver) return file;
  const lost = (error: Error): void =>
    context.report(`Cannot send the log of ${record.name}: ${error.message}; messages are lost`);
  return forwarding(file ?? noLog(), driver, { buffer: logOptions.buffer, lost });
}

/** What the engine itself can read again, without the driver: for what an earlier engine left. */
export function openFile(
  context: Context,
  container: Container,
  subject = subjectOf(container.record),
): LogWriter | null {
  const path = logPath(context, container);
  const { file, details } = container.logOptions;
  if (path === null || file === null) return null;
  const failed = (error: Error): void =>
    context.report(`Cannot write the log of ${subject.name}: ${error.message}; its output is lost`);
  return logWriter(path, file, failed, file.kind === "json-file" ? fileAttributes(details, subject) : null);
}

const subjectOf = ({ id, name, config, image, path, args }: ContainerRecord): LogSubject => ({
  id,
  name,
  image: config.Image ?? "",
  imageId: image,
  command: [path, ...args].join(" "),
  labels: config.Labels ?? {},
  env: config.Env ?? [],
});

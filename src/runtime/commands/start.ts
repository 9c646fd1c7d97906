import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { errnoName, errnoText } from "../../kernel/errno.ts";
import { MESSAGE } from "../../plan/records.ts";
import { CALLER_FILES } from "../../wire/runtime.ts";
import { exactly } from "../arguments.ts";
import type { RuntimeCommand } from "../context.ts";
import { directoryOf } from "../context.ts";
import { RuntimeError } from "../failure.ts";
import { hookFailure } from "../hook-end.ts";
import { runHooks } from "../hooks.ts";
import { hookOutput } from "../output.ts";
import { takeLate } from "../quick.ts";
import { conditionOf, type Status } from "../status.ts";
import { type ContainerDocument, readDocument } from "../store.ts";

const REFUSALS: Readonly<Record<Exclude<Status, "created">, string>> = {
  creating: "cannot start a container that is being created",
  running: "cannot start an already running container",
  paused: "cannot start a container in the paused state",
  stopped: "cannot start a container that has stopped",
};

/** `start ID`: let the created process run its workload; returns when it does. */
const start: RuntimeCommand = {
  flags: {},
  async run(context, given) {
    const [id = ""] = exactly(given, 1, "start");
    const document = readDocument(context.root, id);
    const directory = directoryOf(context, id);
    const late = takeLate(directory);
    if (late !== undefined && late.length === MESSAGE.size) throw recordedFailure(document, directory, late);
    const { pid, status } = conditionOf(directory, document);
    if (status !== "created") throw new RuntimeError(REFUSALS[status]);
    order(directory, document);
    const failed = await runHooks(document, "poststart", "running", pid);
    if (failed !== undefined) {
      const { killAll } = await import("../../cgroup/kill.ts");
      const { readLayout } = await import("../../cgroup/layout.ts");
      await killAll(readLayout(), document.cgroup);
      throw new RuntimeError(failed);
    }
    return 0;
  },
};
export default start;

/**
 * Give the order, and wait for the end of the reply: there is none as long as the process lives and has not executed
 * its program, and none of it is left when that has happened.
 */
function order(directory: string, document: ContainerDocument): void {
  const path = join(directory, CALLER_FILES.reply);
  // With the first open the second does not wait, and once the first is closed only the process writes.
  const both = openSync(path, constants.O_RDWR);
  const reply = openSync(path, constants.O_RDONLY);
  closeSync(both);
  try {
    const go = openSync(join(directory, CALLER_FILES.start), constants.O_WRONLY | constants.O_NONBLOCK);
    writeSync(go, "\0");
    closeSync(go);
    const record = Buffer.alloc(MESSAGE.size);
    if (readSync(reply, record) < record.length) return;
    throw recordedFailure(document, directory, record);
  } finally {
    closeSync(reply);
  }
}

/** Of what the child says last. */
function recordedFailure(document: ContainerDocument, directory: string, record: Buffer): RuntimeError {
  const [step, error] = [record.readBigInt64LE(MESSAGE.step), record.readBigInt64LE(MESSAGE.error)];
  return lateFailure(document, directory, Number(step), -Number(error));
}

function lateFailure(
  document: ContainerDocument,
  directory: string,
  number: number,
  errno: number,
): RuntimeError {
  const step = document.late[String(number)];
  const name = errnoName(errno);
  const prefix = "unable to start container process:";
  if (step === undefined) return new RuntimeError(`${prefix} ${errnoText(errno)} (${name})`);
  if (step.hook !== undefined)
    return new RuntimeError(`${prefix} ${hookFailure(step.hook, errno, hookOutput(directory))}`);
  if (step.call === "execve" && step.why.startsWith("run "))
    return new RuntimeError(
      `${prefix} exec: ${JSON.stringify(document.process.args?.[0] ?? "")}: ${errnoText(errno).toLowerCase()} (${name})`,
    );
  const hint = step.hint === undefined ? "" : `; ${step.hint}`;
  return new RuntimeError(`${prefix} Cannot ${step.why}: ${step.call}: ${errnoText(errno)} (${name})${hint}`);
}

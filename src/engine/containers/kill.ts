import { thaw } from "../../cgroup/freeze.ts";
import { SIGNALS, signalNumber } from "../../kernel/signals.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { invalid } from "../refuse.ts";
import { cancelRestart } from "./ended.ts";
import { allowed } from "./find.ts";
import { cgroupOf } from "./freeze.ts";
import { tell } from "./tell.ts";

const { SIGKILL, SIGTERM } = SIGNALS;

/** The signal that asks this container to stop. */
export const stopSignalOf = ({ record }: Container): number =>
  signalNumber(record.config.StopSignal || "TERM") ?? SIGTERM;

/**
 * Sends a signal to a container's first process.
 * @param word a name or a number; empty is SIGKILL
 * @param as how the request names the container
 */
export async function kill(
  context: Context,
  container: Container,
  word: string,
  as: string = container.record.id,
): Promise<void> {
  const signal = word === "" ? SIGKILL : signalNumber(word);
  if (signal === undefined) throw invalid(`cannot kill container: ${as}: ${badSignal(word)}`);
  if (!allowed(container, "kill", as)) return;
  await send(context, container, signal);
  // As in Docker, SIGKILL is not answered before the container is down.
  if (signal === SIGKILL) await container.ended;
}

/** Docker's sentence for a signal that is none. */
export const badSignal = (word: string): string =>
  /^[1-9]\d{0,3}$/.test(word)
    ? `the linux daemon does not support signal ${word}`
    : `invalid signal: ${word.slice(0, 40)}`;

/** Sends; what is meant to end the container also keeps its restart policy out of it. */
export async function send(context: Context, container: Container, signal: number): Promise<void> {
  const { state } = container.record;
  if (signal === SIGKILL || signal === stopSignalOf(container)) {
    container.exitOnNext = true;
    state.manuallyStopped = true;
  }
  if (state.status === "restarting") {
    cancelRestart(context, container);
    return;
  }
  container.running?.signal(signal);
  tell(context, container.record, "kill", { signal: String(signal) });
  if (state.status !== "paused" || !container.exitOnNext) return;
  // A frozen process does not even notice SIGKILL on cgroup v1.
  await thaw(context.cgroups.layout, cgroupOf(context, container));
  state.status = "running";
}

/** Ends it whatever it does, and waits until it has ended. */
export async function killNow(context: Context, container: Container): Promise<void> {
  if (!container.running || container.ended === null) return;
  const end = container.ended;
  await send(context, container, SIGKILL);
  await end;
}

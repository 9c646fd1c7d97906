import { SIGNALS, signalNumber } from "../../kernel/signals.ts";
import { Refusal } from "../../oci/error.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { cancelRestart } from "./ended.ts";
import { allowed } from "./find.ts";
import { badSignal, send, stopSignalOf } from "./kill.ts";
import { start } from "./start.ts";
import { tell } from "./tell.ts";

export interface StopOptions {
  /** Instead of the container's own. */
  readonly signal?: string;
  /** Seconds until SIGKILL; negative waits without end. */
  readonly timeout?: number;
  /** How the request names the container. */
  readonly as?: string;
}

/** Docker's. */
const TIMEOUT = 10;

/**
 * Asks a container to end, and ends it when it has not after the time-out.
 * @returns false when it is down already
 */
export async function stop(context: Context, container: Container, options: StopOptions): Promise<boolean> {
  const signal = options.signal ? signalNumber(options.signal) : stopSignalOf(container);
  if (signal === undefined) {
    throw badSignalFor("cannot stop container:", container, options);
  }
  if (!allowed(container, "stop")) return false;
  container.exitOnNext = true;
  container.record.state.manuallyStopped = true;
  if (container.restart) {
    cancelRestart(context, container);
    tell(context, container.record, "stop");
    return true;
  }
  const end = container.ended;
  if (end) {
    await send(context, container, signal);
    const seconds = options.timeout ?? container.record.config.StopTimeout ?? TIMEOUT;
    if (!(await within(end, seconds))) {
      await send(context, container, SIGNALS.SIGKILL);
      await end;
    }
  }
  tell(context, container.record, "stop");
  return true;
}

/** 500, as in Docker. */
const badSignalFor = (
  what: string,
  { record }: Container,
  { as = record.id, signal = "" }: StopOptions,
): Refusal => new Refusal("failed", `${what} ${as}: ${badSignal(signal)}`);

/** Stops it if it is up, and starts it in any case. */
export async function restart(context: Context, container: Container, options: StopOptions): Promise<void> {
  if (options.signal && signalNumber(options.signal) === undefined) {
    throw badSignalFor("Cannot restart container", container, options);
  }
  allowed(container, "restart");
  // `--rm` means when it has ended for good.
  const { host } = container.record;
  if (host.AutoRemove) container.record.host = { ...host, AutoRemove: false };
  try {
    await stop(context, container, options);
  } finally {
    container.record.host = host;
  }
  try {
    await start(context, container);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { as = container.record.id } = options;
    throw new Refusal("failed", `Cannot restart container ${as}: ${error.message}`, { cause: error });
  }
  tell(context, container.record, "restart");
}

async function within(end: Promise<void>, seconds: number): Promise<boolean> {
  if (seconds < 0) return end.then(() => true);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), Math.min(seconds, 2 ** 31 / 1000 - 1) * 1000);
  });
  const result = await Promise.race([end.then(() => true), late]);
  clearTimeout(timer);
  return result;
}

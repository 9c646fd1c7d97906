import type { HealthCheck } from "../../container/health/check.ts";
import { MAX_OUTPUT } from "../../container/health/state.ts";
import { now } from "../../container/time.ts";
import { SIGNALS } from "../../kernel/signals.ts";
import { reasonOf } from "../../oci/error.ts";
import type { HealthResult } from "../../wire/inspect.ts";
import type { Container } from "../container.ts";
import type { Peer } from "../containers/attach.ts";
import type { Context } from "../context.ts";
import { createExec, findExec, startExec } from "./execs.ts";

/**
 * Runs a health check once; one that takes too long is killed. Never rejects: a probe that cannot be started
 * has failed.
 * @param cancelled kills it early; its result means nothing then
 */
export async function probe(
  context: Context,
  container: Container,
  check: HealthCheck,
  cancelled: AbortSignal,
): Promise<HealthResult> {
  const Start = now();
  const output = limited();
  let timer: NodeJS.Timeout | undefined;
  try {
    const config = { Cmd: check.command, AttachStdout: true, AttachStderr: true };
    const exec = findExec(context, createExec(context, container, config, { probe: true }));
    const { ended } = await startExec(context, exec, { peer: output.peer, detach: null, size: null });
    let late = false;
    const kill = (): void => exec.running?.signal(SIGNALS.SIGKILL);
    timer = setTimeout(() => {
      late = true;
      kill();
    }, check.timeout);
    cancelled.addEventListener("abort", kill);
    if (cancelled.aborted) kill();
    await ended;
    const End = now();
    if (!late) return { Start, End, ExitCode: exec.exitCode ?? -1, Output: output.text() };
    const said = output.text();
    const what = `Health check exceeded timeout (${spanText(check.timeout)})`;
    return { Start, End, ExitCode: -1, Output: said === "" ? what : `${what}: ${said}` };
  } catch (error) {
    return { Start, End: now(), ExitCode: -1, Output: reasonOf(error) };
  } finally {
    clearTimeout(timer);
  }
}

/** Keeps the first 4 KiB of what is written. */
function limited(): { readonly peer: Peer; text(): string } {
  const parts: Buffer[] = [];
  let room = MAX_OUTPUT;
  let cut = false;
  return {
    peer: {
      input: null,
      write(_, chunk) {
        if (chunk.length > room) cut = true;
        if (room > 0) parts.push(Buffer.from(chunk.subarray(0, room)));
        room = Math.max(0, room - chunk.length);
        return undefined;
      },
      end: () => undefined,
    },
    text: () => Buffer.concat(parts).toString() + (cut ? "..." : ""),
  };
}

/** A span as Go prints it: `300ms`, `1.5s`, `1m30s`, `1h0m0s`. */
function spanText(milliseconds: number): string {
  if (milliseconds < 1000) return `${milliseconds}ms`;
  const seconds = milliseconds / 1000;
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${h > 0 ? `${h}h` : ""}${h > 0 || m > 0 ? `${m}m` : ""}${Number(s.toFixed(3))}s`;
}

import type { Answer } from "../../client/http.ts";
import { jsonLines } from "../../client/stream.ts";
import type { Progress } from "../../wire/progress.ts";
import { Failure } from "../failure.ts";
import { writeAll } from "../output.ts";
import { isTerminal } from "../session/terminal.ts";

const ALONE = /^(sha256:[0-9a-f]{64})\n$/;

export interface ProgressOptions {
  readonly to: 1 | 2;
  readonly quiet?: boolean;
}

/**
 * Shows a progress stream: its text as it is, its bars in place on a terminal and once otherwise.
 * @returns the id in the last `aux` record, or that which is all that a quiet build says
 * @throws Failure when the stream ends with an error
 */
export async function showProgress(response: Answer, it: ProgressOptions): Promise<string | undefined> {
  const bars = isTerminal(it.to) ? new Map<string, number>() : undefined;
  let id: string | undefined;
  for await (const line of jsonLines<Progress>(response.next)) {
    if (line.error !== undefined)
      throw new Failure(line.errorDetail?.message ?? line.error, line.errorDetail?.code || 1);
    id = line.aux?.ID ?? ALONE.exec(line.stream ?? "")?.[1] ?? id;
    if (!it.quiet) writeAll(it.to, Buffer.from(render(line, bars)));
  }
  return id;
}

/** One record as text. With `bars` each id has a line of its own, which is written over. */
export function render(line: Progress, bars?: Map<string, number>): string {
  if (line.stream !== undefined) return line.stream;
  if (line.status === undefined) return "";
  const told = line.id ? `${line.id}: ${line.status}` : line.status;
  if (!line.id || !bars) return line.progressDetail?.current ? "" : `${told}\n`;
  const text = line.progress ? `${told} ${line.progress}` : told;
  const row = bars.get(line.id);
  if (row === undefined) {
    bars.set(line.id, bars.size);
    return `${text}\n`;
  }
  const up = bars.size - row;
  return `\x1b[${up}A\x1b[2K\r${text}\n${up > 1 ? `\x1b[${up - 1}B` : ""}`;
}

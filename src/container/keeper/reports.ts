import { statSync } from "node:fs";
import { readOwnFifo } from "../../host/fifo.ts";
import { S } from "../../kernel/flags.ts";
import { call, num, str } from "../../plan/build.ts";
import { decodeReport, REPORT_SIZE, type Report } from "../../plan/records.ts";
import { runPlan } from "../../plan/run.ts";

/** The one FIFO on which every keeper of this engine reports. */
export interface Reports {
  readonly path: string;
  /** Call `handler` with each report that carries `token`, until `forget`. */
  listen(token: string, handler: (report: Report) => void): void;
  forget(token: string): void;
  /** Resolves when keepers see that nobody listens. */
  close(): Promise<void>;
}

/**
 * Open the report FIFO at `path`, making it if need be. Keepers see `POLLERR` on it when this process is gone.
 */
export async function openReports(path: string, programs: string): Promise<Reports> {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) {
    const make = call(
      "mknodat",
      [num(-100, "AT_FDCWD"), str(path), num(S.IFIFO | 0o600), num(0)],
      "hear of exits",
    );
    await runPlan({ steps: [make] }, { directory: programs });
  }
  const fifo = readOwnFifo(path);
  const handlers = new Map<string, (report: Report) => void>();
  const reader = fifo.stream.getReader();
  void deliver(reader, handlers);
  return {
    path,
    listen: (token, handler) => void handlers.set(token, handler),
    forget: (token) => void handlers.delete(token),
    async close() {
      await reader.cancel();
      await fifo.close();
    },
  };
}

async function deliver(
  reader: { read(): Promise<{ done: boolean; value?: Uint8Array | undefined }> },
  handlers: ReadonlyMap<string, (report: Report) => void>,
): Promise<void> {
  // Writes are atomic but reads may end in the middle of a record.
  let rest = new Uint8Array();
  for (;;) {
    const { done, value } = await reader.read();
    if (done || value === undefined) return;
    const bytes = rest.length === 0 ? value : Buffer.concat([rest, value]);
    const whole = bytes.length - (bytes.length % REPORT_SIZE);
    for (let at = 0; at < whole; at += REPORT_SIZE) {
      const report = decodeReport(bytes.subarray(at, at + REPORT_SIZE));
      if (report !== null) handlers.get(report.token)?.(report);
    }
    rest = bytes.slice(whole);
  }
}

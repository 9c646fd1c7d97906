import { REPORT, REPORT_KIND, REPORT_MAGIC, REPORT_SIZE } from "../records.ts";
import type { Data, Keeper } from "../step.ts";
import type { Operand } from "./ops.ts";
import { POLLOUT } from "./poll.ts";
import { at, imm, slot, type Writer } from "./writer.ts";

/** What the program says to the engine; the layout is in src/plan/records.ts. */

export const REPORT_MEMORY: Data = { kind: "space", size: REPORT_SIZE, name: "report" };

const EAGAIN = -11;
const CLOCK_REALTIME = 0;

/** Fill in a report of `kind`. */
export function startReport(
  writer: Writer,
  keeper: Keeper,
  kind: keyof typeof REPORT_KIND,
  first: Operand,
  second: Operand,
): void {
  const token: Data = { kind: "bytes", bytes: keeper.token };
  writer.store(at(REPORT_MEMORY), REPORT.magic, 4, imm(REPORT_MAGIC));
  writer.store(at(REPORT_MEMORY), REPORT.kind, 4, imm(REPORT_KIND[kind]));
  for (const half of [0, 8]) {
    writer.load("token", at(token), half, 8);
    writer.store(at(REPORT_MEMORY), REPORT.token + half, 8, slot("token"));
  }
  writer.store(at(REPORT_MEMORY), REPORT.first, 8, first);
  writer.store(at(REPORT_MEMORY), REPORT.second, 8, second);
  writer.syscall("clock_gettime", imm(CLOCK_REALTIME), at(REPORT_MEMORY, REPORT.time));
  writer.syscall("getpid");
  writer.set("own-pid", "acc");
  writer.store(at(REPORT_MEMORY), REPORT.keeper, 8, slot("own-pid"));
}

/** Write the report to the engine; wait while its FIFO is full, give up when nobody listens. */
export function sendReport(writer: Writer, keeper: Keeper): void {
  const again = writer.fresh("send");
  const sent = writer.fresh("sent");
  const alone: Data = { kind: "space", size: 8, name: "poll-reports" };
  writer.label(again);
  writer.syscall("write", slot(keeper.reports), at(REPORT_MEMORY), imm(REPORT_SIZE));
  writer.if("acc", "ne", imm(EAGAIN), sent);
  writer.store(at(alone), 0, 4, slot(keeper.reports));
  writer.store(at(alone), 4, 4, imm(POLLOUT));
  writer.syscall("ppoll", at(alone), imm(1), imm(0), imm(0), imm(0));
  writer.jump(again);
  writer.label(sent);
}

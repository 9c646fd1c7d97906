import { REPORT, REPORT_KIND, SPOOL } from "../records.ts";
import type { Data, Keeper, Slot, SpooledOutput } from "../step.ts";
import { loadReady, PLACE, POLLHUP, POLLIN, watch } from "./poll.ts";
import { REPORT_MEMORY, sendReport } from "./report.ts";
import { at, imm, slot, type Writer } from "./writer.ts";

/**
 * The keeper's part for output: bytes go from a pipe or a terminal to the end of a file, the spool, from which
 * any number of engines can read them. The engine is told once, and again after it has said what it has taken;
 * where it takes nothing, a spool fills up to its limit and the container's writing blocks.
 */

const EAGAIN = -11;
const SPLICE_F_NONBLOCK = 2;
/** FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE (linux/falloc.h) */
const PUNCH_HOLE = 3;
/** What a pipe holds. */
const PIPE = 65536;
/** Memory is given back in steps of so much. */
const STEP = 65536;
const TERMINAL: Data = { kind: "space", size: PIPE, name: "terminal-out" };

/** 1 after a file could not be written (a full disk): outputs rest until the next look. */
export const STUCK: Slot = "output-stuck";
/** 1 when an output was ready in this round. */
export const BUSY: Slot = "output-busy";
/** 1 when the engine is to be told, whether there is something new or not. */
export const TELL: Slot = "output-tell";

/** The FIFO that is held open for an engine that is not our parent; -1 until one has asked. */
export const ALIVE: Slot = "alive";

/** Slots of output number `index`. */
const of = (index: number) => ({
  file: `spool-${index}`,
  size: `spool-${index}-size`,
  taken: `spool-${index}-taken`,
  freed: `spool-${index}-freed`,
  told: `spool-${index}-told`,
});

function outputs({ stdio }: Keeper): readonly SpooledOutput[] {
  return stdio.kind === "terminal" ? [stdio.output] : stdio.outputs;
}

/** Nothing is written, nothing is told. */
export function startOutputs(writer: Writer, keeper: Keeper): void {
  for (const index of [0, 1]) {
    const { freed, size, taken } = of(index);
    for (const each of [size, taken, freed]) writer.set(each, imm(SPOOL.start));
  }
  for (const index of outputs(keeper).keys()) writer.set(of(index).told, imm(0));
  writer.set(STUCK, imm(0));
  writer.set(TELL, imm(0));
  writer.set("terminal-left", imm(0));
}

/** Watch the outputs of which the engine has taken enough; once `ended`, up to the report of it, all of them. */
export function watchOutputs(writer: Writer, keeper: Keeper, ended: Slot, reported: Slot): void {
  const done = writer.fresh("watched");
  writer.if(slot(STUCK), "ne", imm(0), done);
  for (const [index, { source }] of outputs(keeper).entries()) {
    const { size, taken } = of(index);
    const next = writer.fresh("watch-next");
    const all = writer.fresh("watch-all");
    const bounded = writer.fresh("watch-bounded");
    writer.if(slot(ended), "eq", imm(0), bounded);
    writer.if(slot(reported), "eq", imm(0), all);
    writer.label(bounded);
    writer.set("backlog", slot(size));
    writer.subtract("backlog", slot(taken));
    writer.if(slot("backlog"), "ge", imm(SPOOL.limit), next);
    writer.label(all);
    watch(writer, PLACE.outputs + index, slot(source), POLLIN);
    writer.label(next);
  }
  writer.label(done);
}

/** Move what is ready. */
export function moveOutputs(writer: Writer, keeper: Keeper, reported: Slot): void {
  writer.set(BUSY, imm(0));
  for (const [index, output] of outputs(keeper).entries()) {
    const next = writer.fresh("move-next");
    const stuck = writer.fresh("move-stuck");
    const kept = writer.fresh("move-kept");
    loadReady(writer, PLACE.outputs + index);
    if (keeper.stdio.kind === "terminal") writer.if(slot("terminal-left"), "ne", imm(0), kept);
    writer.if(slot("ready"), "eq", imm(0), next);
    writer.label(kept);
    writer.set(BUSY, imm(1));
    if (keeper.stdio.kind === "terminal") moveTerminal(writer, output, index, next, stuck);
    else movePipe(writer, output, index, reported, next, stuck);
    writer.label(stuck);
    writer.set(STUCK, imm(1));
    writer.label(next);
  }
}

/** The spool is made with the first byte: most containers' stderr never has one. */
function openSpool(writer: Writer, { spool }: SpooledOutput, index: number, stuck: string): void {
  const { file } = of(index);
  const open = writer.fresh("spool-open");
  writer.if(slot(file), "ge", imm(0), open);
  // O_WRONLY|O_CREAT|O_CLOEXEC
  writer.syscall("openat", imm(-100), at({ kind: "text", text: spool }), imm(0o2000101), imm(0o600));
  writer.set(file, "acc");
  writer.if(slot(file), "lt", imm(0), stuck);
  writer.label(open);
}

function movePipe(
  writer: Writer,
  output: SpooledOutput,
  index: number,
  reported: Slot,
  next: string,
  stuck: string,
): void {
  const { file, size } = of(index);
  const over = writer.fresh("pipe-over");
  // Alone, it means that the pipe is empty and will stay so.
  writer.if(slot("ready"), "eq", imm(POLLHUP), over);
  openSpool(writer, output, index, stuck);
  const flags = imm(SPLICE_F_NONBLOCK);
  // The kernel moves the offset along.
  writer.syscall("splice", slot(output.source), imm(0), slot(file), { slotAddress: size }, imm(PIPE), flags);
  writer.if("acc", "eq", imm(0), over);
  writer.if("acc", "ge", imm(0), next);
  writer.if("acc", "eq", imm(EAGAIN), next);
  writer.jump(stuck);
  writer.label(over);
  writer.set(output.source, imm(-1));
  writer.if(slot(reported), "eq", imm(0), next);
  writer.set(TELL, imm(1));
  writer.jump(next);
}

/** A terminal gives 4 KiB at a time: what it has is collected first. */
function moveTerminal(
  writer: Writer,
  output: SpooledOutput,
  index: number,
  next: string,
  stuck: string,
): void {
  const { file, size } = of(index);
  const more = writer.fresh("terminal-more");
  const write = writer.fresh("terminal-write");
  openSpool(writer, output, index, stuck);
  writer.if(slot("terminal-left"), "ne", imm(0), write);
  writer.set("terminal-at", at(TERMINAL));
  writer.set("terminal-end", at(TERMINAL));
  writer.set("terminal-room", imm(PIPE));
  writer.label(more);
  writer.syscall("read", slot(output.source), slot("terminal-end"), slot("terminal-room"));
  writer.if("acc", "lt", imm(1), write);
  writer.set("moved", "acc");
  writer.add("terminal-end", slot("moved"));
  writer.add("terminal-left", slot("moved"));
  writer.subtract("terminal-room", slot("moved"));
  writer.if(slot("terminal-room"), "ne", imm(0), more);
  writer.label(write);
  writer.if(slot("terminal-left"), "eq", imm(0), next);
  writer.syscall("pwrite64", slot(file), slot("terminal-at"), slot("terminal-left"), slot(size));
  writer.if("acc", "lt", imm(0), stuck);
  writer.set("moved", "acc");
  writer.add(size, slot("moved"));
  writer.add("terminal-at", slot("moved"));
  writer.subtract("terminal-left", slot("moved"));
  writer.jump(write);
}

/** Put into the report how far the output is. */
export function storeWritten(writer: Writer, keeper: Keeper): void {
  writer.set("open-outputs", imm(0));
  for (const index of [0, 1])
    writer.store(at(REPORT_MEMORY), REPORT.sizes + index * 8, 8, slot(of(index).size));
  // A terminal never ends: its keeper holds the other side too.
  if (keeper.stdio.kind === "pipes") {
    for (const { source } of keeper.stdio.outputs) {
      const closed = writer.fresh("closed");
      writer.if(slot(source), "lt", imm(0), closed);
      writer.add("open-outputs", imm(1));
      writer.label(closed);
    }
  }
  writer.store(at(REPORT_MEMORY), REPORT.second, 8, slot("open-outputs"));
}

/** Tell the engine of output, unless it has been told and has not taken it yet. Its token is in the report already. */
export function tellOutput(writer: Writer, keeper: Keeper): void {
  const done = writer.fresh("told");
  for (const index of outputs(keeper).keys()) {
    const { size, taken, told } = of(index);
    const next = writer.fresh("tell-next");
    writer.if(slot(told), "ne", imm(0), next);
    writer.if(slot(taken), "ge", slot(size), next);
    writer.set(told, imm(1));
    writer.set(TELL, imm(1));
    writer.label(next);
  }
  writer.if(slot(TELL), "eq", imm(0), done);
  writer.set(TELL, imm(0));
  writer.store(at(REPORT_MEMORY), REPORT.kind, 4, imm(REPORT_KIND.output));
  writer.store(at(REPORT_MEMORY), REPORT.first, 8, slot(ALIVE));
  storeWritten(writer, keeper);
  sendReport(writer, keeper);
  writer.label(done);
}

/** The engine has taken what is in the spool of `stream` up to an offset, both of them in `record`. */
export function taken(writer: Writer, keeper: Keeper, record: Data): void {
  writer.load("taken-stream", at(record), 4, 4);
  for (const index of outputs(keeper).keys()) {
    const { file, freed, taken: offset, told } = of(index);
    const next = writer.fresh("taken-next");
    writer.if(slot("taken-stream"), "ne", imm(index), next);
    writer.load(offset, at(record), 8, 8);
    writer.set(told, imm(0));
    writer.set("free", slot(offset));
    writer.subtract("free", imm(SPOOL.kept));
    writer.set("step", slot("free"));
    writer.subtract("step", slot(freed));
    writer.if(slot("step"), "lt", imm(STEP), next);
    writer.set(freed, slot("free"));
    writer.subtract("free", imm(SPOOL.start));
    // From the start each time: only whole pages are given back.
    writer.syscall("fallocate", slot(file), imm(PUNCH_HOLE), imm(SPOOL.start), slot("free"));
    writer.label(next);
  }
}

/** Another engine has come. */
export function tellAgain(writer: Writer, keeper: Keeper): void {
  for (const index of outputs(keeper).keys()) writer.set(of(index).told, imm(0));
  writer.set(TELL, imm(1));
}

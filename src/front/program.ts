import { type Arch, hostArch } from "../kernel/arch.ts";
import { assemblerOf } from "../plan/compile.ts";
import type { Segments } from "../plan/program/layout.ts";
import { imm, slot, Writer } from "../plan/program/writer.ts";
import { askEngine } from "./ask.ts";
import { addVariable, type Original, startOriginal } from "./loader.ts";
import { holdSignals, serveOrders, withdraw } from "./serve.ts";
import { readStack, WORD_POINTERS, WORDS } from "./stack.ts";
import { ifBegins, ifEquals } from "./text.ts";

/** Below the addresses of Bun's own segments, above those that no process may have (vm.mmap_min_addr). */
const BASE = { code: 0x100000, data: 0x180000 };

/**
 * A command ends before code that was compiled meanwhile could be of use: without it, it takes two thirds of the
 * processor time. The engine's code is compiled.
 */
const WITHOUT_JIT = "BUN_JSC_useJIT=0";

export interface FrontOptions {
  /** Names this build; the engine takes commands of its own build only. */
  readonly build: string;
  readonly original: Original;
  readonly arch?: Arch;
}

/** The front: what `dist/cais` begins with (see ARCHITECTURE, "The front"). */
export function frontProgram({ arch = hostArch(), build, original }: FrontOptions): Segments {
  const writer = new Writer();
  const own = writer.fresh("own");
  const brief = writer.fresh("brief");
  const declined = writer.fresh("declined");
  readStack(writer);
  writer.if(slot(WORDS), "lt", imm(2), brief);
  writer.load("word", slot(WORD_POINTERS), 8, 8);
  // Options before the command may name another engine; `serve` is none that ends soon.
  ifBegins(writer, "word", "-", own);
  ifEquals(writer, "word", "serve", own);
  ifEquals(writer, "word", "runtime", brief);
  writer.load("program", slot(WORD_POINTERS), 0, 8);
  ifCalled(writer, "cais-runtime", brief);
  holdSignals(writer);
  askEngine(writer, build, declined);
  serveOrders(writer, declined);

  writer.label(declined);
  withdraw(writer);
  writer.label(brief);
  addVariable(writer, WITHOUT_JIT);
  writer.label(own);
  startOriginal(writer, original);

  const addresses = writer.layout.addresses(BASE);
  return addresses.image(assemblerOf(arch).assemble(writer.ops, addresses));
}

/** Go to `to` when the last part of the path in slot `program` is `name`. */
function ifCalled(writer: Writer, name: string, to: string): void {
  const loop = writer.fresh("part");
  const end = writer.fresh("part-end");
  const next = writer.fresh("part-next");
  const is = writer.fresh("part-is");
  writer.set("part", slot("program"));
  writer.label(loop);
  writer.load("byte", slot("program"), 0, 1);
  writer.if(slot("byte"), "eq", imm(0), end);
  writer.add("program", imm(1));
  writer.if(slot("byte"), "ne", imm("/".charCodeAt(0)), next);
  writer.set("part", slot("program"));
  writer.label(next);
  writer.jump(loop);
  writer.label(is);
  writer.jump(to);
  writer.label(end);
  ifEquals(writer, "part", name, is);
}

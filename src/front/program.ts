import { type Arch, hostArch } from "../kernel/arch.ts";
import { ERRNO } from "../kernel/errno.ts";
import { assemblerOf } from "../plan/compile.ts";
import type { Segments } from "../plan/program/layout.ts";
import { at, imm, slot, Writer } from "../plan/program/writer.ts";
import { askEngine, DIRECTORY } from "./ask.ts";
import { addVariable, type Original, startOriginal } from "./loader.ts";
import { NEXT_WORD, readCommand } from "./runtime/arguments.ts";
import { deleteContainer } from "./runtime/delete.ts";
import { startContainer } from "./runtime/start.ts";
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

/**
 * A runtime's command takes most of its memory at once: in pages of 2 MiB, where the kernel has them for who asks, it
 * has a third of the page faults. Others may stay for long beside a container, and have no memory to waste.
 */
const LARGE_PAGES = "MIMALLOC_ALLOW_THP=1";

/**
 * The engine's heap grows as on a machine with 128 MiB: up to twice what is in use while that is little, then by
 * less. On a large machine it would take a third more, for no speed that can be measured.
 */
const SMALL_HEAP = "BUN_JSC_forceRAMSize=134217728";

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
  const begin = writer.fresh("begin");
  const command = writer.fresh("command");
  const runtime = writer.fresh("runtime");
  const declined = writer.fresh("declined");
  readStack(writer);
  writer.if(slot(WORDS), "lt", imm(2), brief);
  writer.load("word", slot(WORD_POINTERS), 8, 8);
  writer.load("program", slot(WORD_POINTERS), 0, 8);
  writer.set(NEXT_WORD, slot(WORD_POINTERS, 8));
  ifCalled(writer, "cais-runtime", runtime);
  // Options before the command may name another engine, or come before `serve`, which is none that ends soon.
  ifBegins(writer, "word", "-", own);
  ifEquals(writer, "word", "serve", own);
  writer.set(NEXT_WORD, slot(WORD_POINTERS, 16));
  ifEquals(writer, "word", "runtime", runtime);
  holdSignals(writer);
  askEngine(writer, build, declined);
  serveOrders(writer, declined);

  const commands = { start: writer.fresh("start"), delete: writer.fresh("delete") };
  writer.label(runtime);
  readCommand(writer, commands, command);
  writer.label(commands.start);
  startContainer(writer, build, command);
  writer.label(commands.delete);
  deleteContainer(writer, build, command);
  writer.label(command);
  addVariable(writer, LARGE_PAGES);
  writer.jump(brief);

  writer.label(declined);
  withdraw(writer);
  writer.label(brief);
  leaveRemoved(writer);
  addVariable(writer, WITHOUT_JIT);
  writer.jump(begin);
  writer.label(own);
  addVariable(writer, SMALL_HEAP);
  writer.label(begin);
  startOriginal(writer, original);

  const addresses = writer.layout.addresses(BASE);
  return addresses.image(assemblerOf(arch).assemble(writer.ops, addresses));
}

/**
 * The runtime cannot begin in a directory that has been removed, as a bundle may be when its container is deleted. It
 * gets one where no relative path leads to anything.
 */
function leaveRemoved(writer: Writer): void {
  const there = writer.fresh("directory-there");
  writer.syscall("getcwd", at(DIRECTORY), imm(DIRECTORY.size));
  writer.if("acc", "ne", imm(-ERRNO.ENOENT), there);
  writer.syscall("chdir", at({ kind: "text", text: "/proc/self/ns" }));
  writer.label(there);
}

/** Go to `to` when the last part of the path in slot `program` is `name`. */
function ifCalled(writer: Writer, name: string, to: string): void {
  const loop = writer.fresh("part");
  const end = writer.fresh("part-end");
  writer.set("part", slot("program"));
  writer.label(loop);
  writer.load("byte", slot("program"), 0, 1);
  writer.if(slot("byte"), "eq", imm(0), end);
  writer.add("program", imm(1));
  writer.if(slot("byte"), "ne", imm("/".charCodeAt(0)), loop);
  writer.set("part", slot("program"));
  writer.jump(loop);
  writer.label(end);
  ifEquals(writer, "part", name, to);
}

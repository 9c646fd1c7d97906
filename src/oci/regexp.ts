import { type Node, parseRegexp } from "./regexp-parse.ts";

/** A regular expression that takes time in proportion to the text, whoever has written it. */
export interface LinearRegexp {
  /** Whether some part of the text matches. */
  test(text: string): boolean;
}

type Instruction =
  | { readonly op: "one"; readonly accepts: (character: string) => boolean }
  | { readonly op: "split"; readonly to: readonly [number, number] }
  | { readonly op: "jump"; readonly to: number }
  | { readonly op: "assert"; readonly holds: (text: string, at: number) => boolean }
  | { readonly op: "match" };

/** As in Go: repetitions of repetitions grow quickly. */
const PROGRAM_MAX = 5000;

/**
 * Go's syntax (RE2) as far as filters use it: what JavaScript and Go agree on, without what only backtracking can do.
 * All states are followed at once (Thompson, 1968), so no pattern is slow.
 * @throws Error for a pattern that is malformed or too large
 */
export function linearRegexp(pattern: string): LinearRegexp {
  return { test: matcher(parseRegexp(pattern), "anywhere", PROGRAM_MAX) };
}

/**
 * The same of an expression that has been parsed.
 * @param from where a match may begin
 * @param most instructions that it may have
 */
export function matcher(
  node: Node,
  from: "anywhere" | "start",
  most = Number.POSITIVE_INFINITY,
): LinearRegexp["test"] {
  const program: Instruction[] = [];
  emit(node, program, most);
  program.push({ op: "match" });
  return (text) => run(program, text, from === "anywhere");
}

function emit(node: Node, program: Instruction[], most: number): void {
  if (program.length > most) throw new Error("expression nests repeats too deeply");
  const here = () => program.length;
  const reserve = () => program.push({ op: "match" }) - 1;
  switch (node.kind) {
    case "one":
      program.push({ op: "one", accepts: node.accepts });
      return;
    case "assert":
      program.push({ op: "assert", holds: node.holds });
      return;
    case "all":
      for (const part of node.parts) emit(part, program, most);
      return;
    case "any": {
      const ends: number[] = [];
      for (const [index, part] of node.parts.entries()) {
        const last = index === node.parts.length - 1;
        const split = last ? -1 : reserve();
        emit(part, program, most);
        if (last) break;
        ends.push(reserve());
        program[split] = { op: "split", to: [split + 1, here()] };
      }
      for (const end of ends) program[end] = { op: "jump", to: here() };
      return;
    }
    case "repeat": {
      for (let count = 0; count < node.least; count++) emit(node.part, program, most);
      if (node.most === undefined) {
        const split = reserve();
        emit(node.part, program, most);
        program.push({ op: "jump", to: split });
        program[split] = { op: "split", to: [split + 1, here()] };
        return;
      }
      const splits: number[] = [];
      for (let count = node.least; count < node.most; count++) {
        splits.push(reserve());
        emit(node.part, program, most);
      }
      for (const split of splits) program[split] = { op: "split", to: [split + 1, here()] };
    }
  }
}

function run(program: readonly Instruction[], text: string, anywhere: boolean): boolean {
  let states: number[] = [];
  let matched = false;
  /** Before which character, counted from 1, an instruction was last reached. */
  const seen = new Uint32Array(program.length);
  /** Everything that is reached without a character; each instruction once. */
  const follow = (from: number, at: number, turn: number, into: number[]): void => {
    const todo = [from];
    for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
      if (seen[next] === turn) continue;
      seen[next] = turn;
      const instruction = program[next]!;
      if (instruction.op === "match") matched = true;
      else if (instruction.op === "one") into.push(next);
      else if (instruction.op === "jump") todo.push(instruction.to);
      else if (instruction.op === "split") todo.push(...instruction.to);
      else if (instruction.holds(text, at)) todo.push(next + 1);
    }
  };
  let offset = 0;
  for (let turn = 1; ; turn++) {
    const reached: number[] = [];
    for (const state of states) follow(state, offset, turn, reached);
    if (anywhere || turn === 1) follow(0, offset, turn, reached);
    if (matched) return true;
    if (offset === text.length || (reached.length === 0 && !anywhere)) return false;
    const character = String.fromCodePoint(text.codePointAt(offset)!);
    states = [];
    for (const state of reached) {
      const instruction = program[state]!;
      if (instruction.op === "one" && instruction.accepts(character)) states.push(state + 1);
    }
    offset += character.length;
  }
}

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
  const program: Instruction[] = [];
  emit(parseRegexp(pattern), program);
  program.push({ op: "match" });
  return { test: (text) => run(program, text) };
}

function emit(node: Node, program: Instruction[]): void {
  if (program.length > PROGRAM_MAX) throw new Error("expression nests repeats too deeply");
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
      for (const part of node.parts) emit(part, program);
      return;
    case "any": {
      const ends: number[] = [];
      for (const [index, part] of node.parts.entries()) {
        const last = index === node.parts.length - 1;
        const split = last ? -1 : reserve();
        emit(part, program);
        if (last) break;
        ends.push(reserve());
        program[split] = { op: "split", to: [split + 1, here()] };
      }
      for (const end of ends) program[end] = { op: "jump", to: here() };
      return;
    }
    case "repeat": {
      for (let count = 0; count < node.least; count++) emit(node.part, program);
      if (node.most === undefined) {
        const split = reserve();
        emit(node.part, program);
        program.push({ op: "jump", to: split });
        program[split] = { op: "split", to: [split + 1, here()] };
        return;
      }
      const splits: number[] = [];
      for (let count = node.least; count < node.most; count++) {
        splits.push(reserve());
        emit(node.part, program);
      }
      for (const split of splits) program[split] = { op: "split", to: [split + 1, here()] };
    }
  }
}

function run(program: readonly Instruction[], text: string): boolean {
  const characters = [...text];
  let states: number[] = [];
  let matched = false;
  /** Everything that is reached without a character; each instruction once. */
  const follow = (from: number, at: number, seen: Uint8Array, into: number[]): void => {
    const todo = [from];
    for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
      if (seen[next] === 1) continue;
      seen[next] = 1;
      const instruction = program[next]!;
      if (instruction.op === "match") matched = true;
      else if (instruction.op === "one") into.push(next);
      else if (instruction.op === "jump") todo.push(instruction.to);
      else if (instruction.op === "split") todo.push(...instruction.to);
      else if (instruction.holds(text, at)) todo.push(next + 1);
    }
  };
  let offset = 0;
  for (let index = 0; index <= characters.length; index++) {
    const seen = new Uint8Array(program.length);
    const reached: number[] = [];
    for (const state of states) follow(state, offset, seen, reached);
    // A match may begin anywhere.
    follow(0, offset, seen, reached);
    if (matched) return true;
    const character = characters[index];
    if (character === undefined) return false;
    states = reached.flatMap((state) => {
      const instruction = program[state]!;
      return instruction.op === "one" && instruction.accepts(character) ? [state + 1] : [];
    });
    offset += character.length;
  }
  return false;
}

import { functions } from "./functions.ts";
import { TemplateError } from "./lex.ts";
import type { Node, Nodes, Operand, Pipe } from "./parse.ts";
import { print } from "./print.ts";
import { type Call, isMap, truth, type Value } from "./value.ts";

/** Variables by name; an inner scope sees and may set those outside. */
interface Scope {
  readonly variables: Map<string, Value>;
  readonly outer?: Scope;
}

export interface Environment {
  /** In place of, or besides, the usual functions. */
  readonly functions?: Readonly<Record<string, Call>>;
}

/** Executes a template. @throws TemplateError with Go's words */
export function evaluate(nodes: Nodes, data: Value, environment: Environment = {}): string {
  const known = { ...functions, ...environment.functions };
  const state = { out: "", known };
  block(nodes, data, { variables: new Map([["$", data]]) }, state);
  return state.out;
}

interface State {
  out: string;
  readonly known: Readonly<Record<string, Call>>;
}

type Flow = "break" | "continue" | undefined;

function block(nodes: Nodes, dot: Value, scope: Scope, state: State): Flow {
  for (const node of nodes) {
    const flow = step(node, dot, scope, state);
    if (flow) return flow;
  }
  return undefined;
}

function step(node: Node, dot: Value, scope: Scope, state: State): Flow {
  switch (node.kind) {
    case "text":
      state.out += node.text;
      return undefined;
    case "print": {
      const value = run(node.pipe, dot, scope, state);
      if (node.pipe.variables.length === 0) state.out += print(value);
      return undefined;
    }
    case "break":
    case "continue":
      return node.kind;
    case "range":
      return range(node, dot, scope, state);
    case "if":
    case "with": {
      const inner: Scope = { variables: new Map(), outer: scope };
      const value = run(node.pipe, dot, inner, state);
      if (!truth(value)) return block(node.otherwise, dot, inner, state);
      return block(node.then, node.kind === "with" ? value : dot, inner, state);
    }
  }
}

function range(
  node: Node & { readonly kind: "if" | "with" | "range" },
  dot: Value,
  scope: Scope,
  state: State,
): Flow {
  const inner: Scope = { variables: new Map(), outer: scope };
  const value = run({ ...node.pipe, variables: [] }, dot, inner, state);
  const items = entries(value);
  if (items.length === 0) return block(node.otherwise, dot, inner, state);
  for (const [key, item] of items) {
    const each: Scope = { variables: new Map(), outer: inner };
    const names = node.pipe.variables;
    if (names.length === 2) each.variables.set(names[0] ?? "", key);
    if (names.length > 0) each.variables.set(names.at(-1) ?? "", item);
    if (block(node.then, item, each, state) === "break") break;
  }
  return undefined;
}

function entries(value: Value): readonly (readonly [Value, Value])[] {
  if (Array.isArray(value)) return value.map((item, i) => [i, item] as const);
  if (typeof value === "number") return Array.from({ length: value }, (_, i) => [i, i] as const);
  if (value === undefined || value === null) return [];
  if (typeof value !== "object") throw new TemplateError(`range can't iterate over ${print(value)}`);
  const fields = value as Readonly<Record<string, Value>>;
  return Object.keys(fields)
    .sort()
    .map((key) => [key, fields[key]] as const);
}

function run(pipe: Pipe, dot: Value, scope: Scope, state: State): Value {
  let value: Value;
  pipe.commands.forEach((operands, i) => {
    value = command(operands, i === 0 ? [] : [value], dot, scope, state);
  });
  for (const name of pipe.variables) {
    if (pipe.assigns) owner(scope, name).variables.set(name, value);
    else scope.variables.set(name, value);
  }
  return value;
}

function command(
  operands: readonly Operand[],
  piped: readonly Value[],
  dot: Value,
  scope: Scope,
  state: State,
): Value {
  const [first, ...rest] = operands as readonly [Operand, ...Operand[]];
  if (first.kind === "function" && (first.name === "and" || first.name === "or")) {
    let value: Value;
    for (const operand of rest) {
      value = operandValue(operand, dot, scope, state);
      if (truth(value) === (first.name === "or")) return value;
    }
    return piped.length > 0 ? piped[0] : value;
  }
  const args = () => [...rest.map((operand) => operandValue(operand, dot, scope, state)), ...piped];
  if (first.kind === "function") return lookUp(first.name, state)(...args());
  if (first.kind === "literal") {
    if (rest.length + piped.length > 0)
      throw new TemplateError(`can't give argument to non-function ${first.value}`);
    return first.value;
  }
  const found = path(first, dot, scope, state);
  if (typeof found === "function") return (found as Call)(...args());
  if (rest.length + piped.length > 0)
    throw new TemplateError(
      `executing "" at <${first.text}>: ${first.fields.at(-1) ?? first.text} has arguments but cannot be invoked as function`,
    );
  return found;
}

function operandValue(operand: Operand, dot: Value, scope: Scope, state: State): Value {
  if (operand.kind === "literal") return operand.value;
  if (operand.kind === "function") return lookUp(operand.name, state)();
  const found = path(operand, dot, scope, state);
  return typeof found === "function" ? (found as Call)() : found;
}

function path(operand: Operand & { readonly kind: "path" }, dot: Value, scope: Scope, state: State): Value {
  const { start, fields, text } = operand;
  const from =
    typeof start !== "string"
      ? run(start, dot, scope, state)
      : start === "."
        ? dot
        : owner(scope, start).variables.get(start);
  return fields.reduce<Value>((value, name) => field(value, name, text), from);
}

function field(value: Value, name: string, text: string): Value {
  if (value === undefined || value === null) {
    if (value === null)
      throw new TemplateError(`executing "" at <${text}>: nil data; no entry for key "${name}"`);
    return undefined;
  }
  if (typeof value !== "object" || Array.isArray(value))
    throw new TemplateError(
      `executing "" at <${text}>: can't evaluate field ${name} in type ${typeof value}`,
    );
  const fields = value as Readonly<Record<string, Value>>;
  if (Object.hasOwn(fields, name)) return fields[name];
  if (isMap(fields)) return undefined;
  const other = otherSpelling(fields, name);
  if (other !== undefined) return fields[other];
  if (optional.has(name)) return null;
  throw new TemplateError(`executing "" at <${text}>: map has no entry for key "${name}"`);
}

/** `ID` and `CPUShares` are Go's names of what JSON calls `Id` and `CpuShares`: templates have them from either. */
function otherSpelling(fields: Readonly<Record<string, Value>>, name: string): string | undefined {
  if (!/[A-Z]{2}/.test(name)) return undefined;
  const small = name.toLowerCase();
  return Object.keys(fields).find((key) => key.toLowerCase() === small);
}

/** Pointers in Docker's types, which its JSON leaves out where they are nil. */
const optional = new Set(["Health", "Healthcheck", "SizeRootFs", "SizeRw", "StopTimeout", "UsageData"]);

function lookUp(name: string, state: State): Call {
  const found = Object.hasOwn(state.known, name) ? state.known[name] : undefined;
  if (!found) throw new TemplateError(`function "${name}" not defined`);
  return found;
}

function owner(scope: Scope, name: string): Scope {
  for (let at: Scope | undefined = scope; at; at = at.outer) if (at.variables.has(name)) return at;
  throw new TemplateError(`undefined variable ${JSON.stringify(name)}`);
}

import { EngineError, NoEngineError, toldBy } from "../client/error.ts";
import type { ClientTls } from "../host/socket.ts";
import { caller } from "./caller/caller.ts";
import type { Command } from "./command.ts";
import { type Context, globalFlags, makeContext } from "./context.ts";
import { Failure } from "./failure.ts";
import type { Flags } from "./flags/flag.ts";
import { parseFlags, UsageError } from "./flags/parse.ts";
import type { TlsOptions } from "./flags/tls.ts";
import { err, out } from "./output.ts";
import { commands, groups } from "./registry.ts";

/** Runs one command line; resolves to its exit code. Nothing a user does makes it throw. */
export async function dispatch(argv: readonly string[]): Promise<number> {
  let named = "";
  try {
    const front = parseFlags(globalFlags, argv, true);
    const [word, ...rest] = front.args;
    if (front.values.version) return (await import("./overview.ts")).printVersion();
    if (word === undefined || word === "help" || front.help)
      return (await import("./overview.ts")).printOverview(front.args.slice(word === "help" ? 1 : 0));
    const found = await find(word, rest);
    if (typeof found === "number") return found;
    named = ` ${found.command.name}`;
    return await run(makeContext(front.values, await tlsOf(front.values), dispatch), found);
  } catch (error) {
    return tellError(error, named);
  }
}

/** Loaded only where somebody asked for it: other commands do without files. */
async function tlsOf(options: TlsOptions): Promise<ClientTls | undefined> {
  const { environment, own } = caller();
  const { DOCKER_TLS, DOCKER_TLS_VERIFY } = environment;
  if (!options.tls && !options.tlsverify && !DOCKER_TLS && !DOCKER_TLS_VERIFY) return undefined;
  own();
  const { clientTls } = await import("./tls.ts");
  return clientTls(options, environment);
}

interface Found {
  readonly command: Command<Flags>;
  /** As it was typed: `container exec`. */
  readonly name: string;
  readonly argv: readonly string[];
}

function wrong(group: string, second: string): string {
  if (second.startsWith("--")) return `unknown flag: ${second.replace(/=.*/s, "")}`;
  if (/^-./.test(second)) return `unknown shorthand flag: '${second[1]}' in ${second}`;
  return `cais: unknown command: cais ${group} ${second}`;
}

async function find(word: string, rest: readonly string[]): Promise<Found | number> {
  const group = Object.hasOwn(groups, word) ? groups[word] : undefined;
  if (!group) {
    const load = Object.hasOwn(commands, word) ? commands[word] : undefined;
    if (load) return { command: (await load()).default, name: word, argv: rest };
    err(`cais: unknown command: cais ${word}\n\nRun 'cais --help' for more information\n`);
    return 1;
  }
  const [second, ...others] = rest;
  if (second === undefined || second === "--help" || second === "-h")
    return (await import("./overview.ts")).printGroup(word);
  const target = Object.hasOwn(group, second) ? group[second] : undefined;
  const load = target === undefined ? undefined : commands[target];
  if (load) return { command: (await load()).default, name: `${word} ${second}`, argv: others };
  const flag = /^-./.test(second);
  // As the docker client has it, whose group of volumes alone tells its whole usage.
  const usage = word === "volume" ? "volume COMMAND" : word;
  err(`${wrong(word, second)}\n\nUsage:  cais ${usage}\n\nRun 'cais ${word} --help' for more information\n`);
  return flag ? 125 : 1;
}

async function run(context: Context, { command, name, argv }: Found): Promise<number> {
  let parsed: ReturnType<typeof parseFlags<Flags>>;
  try {
    parsed = parseFlags(command.flags, argv, command.stopAtFirst ?? false);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    err(
      `${error.message}\n\nUsage:  cais ${name} ${command.usage}\n\nRun 'cais ${name} --help' for more information\n`,
    );
    return 125;
  }
  if (parsed.help) {
    const { helpText } = await import("./flags/help.ts");
    out(helpText(command));
    return 0;
  }
  const wrong = argumentsWrong(command, parsed.args.length);
  if (wrong) {
    const verb = wrong.includes("at least") ? "See" : "Run";
    err(
      `cais: 'cais ${name}' ${wrong}\n\nUsage:  cais ${name} ${command.usage}\n\n${verb} 'cais ${name} --help' for more information\n`,
    );
    return 1;
  }
  if (command.own?.(parsed.values)) caller().own();
  return command.run(context, parsed.values, parsed.args, parsed.given);
}

function argumentsWrong(command: Command<Flags>, count: number): string | undefined {
  const [least, most] = command.args;
  if (count >= least && count <= most) return undefined;
  const many = (n: number) => `${n} argument${n === 1 ? "" : "s"}`;
  if (most === 0) return "accepts no arguments";
  if (least === most) return `requires ${many(least)}`;
  if (count < least) return `requires at least ${many(least)}`;
  return `requires at most ${many(most)}`;
}

/** Commands whose exit code is otherwise the container's: what the engine refuses is 125. `create` is not one. */
const startsContainers = new Set([" run", " explain", " script"]);

function tellError(error: unknown, named: string): number {
  const prefix = startsContainers.has(named) ? "cais: " : "";
  if (error instanceof UsageError) {
    err(
      `${error.message}\n\nUsage:  cais [OPTIONS] COMMAND [ARG...]\n\nRun 'cais --help' for more information\n`,
    );
    return 125;
  }
  if (error instanceof Failure) {
    if (error.message) err(`${error.exitCode === 1 ? "" : prefix}${error.message}\n`);
    return error.exitCode;
  }
  if (error instanceof EngineError) {
    err(`${prefix}${toldBy(error)}\n`);
    return prefix ? 125 : 1;
  }
  if (error instanceof NoEngineError) {
    err(`${prefix}${error.message}\n`);
    return prefix ? 125 : 1;
  }
  const told = error instanceof Error ? error.message : String(error);
  err(`cais: ${told}\n`);
  if (caller().environment.CAIS_DEBUG && error instanceof Error) err(`${error.stack}\n`);
  return prefix ? 125 : 1;
}

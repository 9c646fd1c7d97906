import { spawnSync } from "node:child_process";

/** What the real tools say of a network namespace. */

/** Run a command; throws with its words when it fails. */
export function run(command: string, args: readonly string[], input?: string): string {
  const result = spawnSync(command, args, { encoding: "utf8", ...(input === undefined ? {} : { input }) });
  if (result.status !== 0)
    throw new Error(`${command} ${args.join(" ")} ended with ${result.status}: ${result.stderr}`);
  return result.stdout;
}

/** Run a script; throws when it fails. */
export const sh = (script: string): string => run("sh", ["-euc", script]);

/** `ip -j …` of the namespace of this process, or of that of `pid`. */
export function ip(args: string, pid?: number): readonly Record<string, unknown>[] {
  const command = ["ip", "-j", "-d", ...args.split(" ")];
  const text =
    pid === undefined
      ? run("ip", command.slice(1))
      : run("nsenter", [`--net=/proc/${pid}/ns/net`, ...command]);
  return JSON.parse(text.trim() || "[]") as Record<string, unknown>[];
}

/** Values that change by themselves: timers, and what follows a carrier that comes in its own time. */
const CHANGING = new Set(
  "hello_timer tcn_timer topology_change_timer gc_timer operstate state tentative protocol_state".split(" "),
);
const CARRIER = new Set<unknown>(["NO-CARRIER", "LOWER_UP", "M-DOWN", "linkdown"]);

/** The same without what changes by itself. */
export function steady(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((each) => !CARRIER.has(each)).map(steady);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !CHANGING.has(key))
      .map(([key, inner]) => [key, steady(inner)]),
  );
}

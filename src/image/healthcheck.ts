import { Refusal } from "../oci/error.ts";
import type { HealthConfig } from "../oci/image.ts";
import { execForm } from "./words.ts";

const FLAG = /^--([a-z-]+)(?:=(\S*))?(?:\s+|$)/;

/** What follows HEALTHCHECK: `NONE`, or flags and `CMD` with a list or a shell's command line; Docker's sentences. */
export function healthOf(text: string): HealthConfig {
  let options: HealthConfig = {};
  let rest = text;
  for (let flag = FLAG.exec(rest); flag !== null; flag = FLAG.exec(rest)) {
    options = { ...options, ...option(flag[1]!, flag[2]) };
    rest = rest.slice(flag[0].length);
  }
  const [kind = "", ...more] = rest.split(/\s+/);
  const command = rest.slice(kind.length).trim();
  switch (kind.toUpperCase()) {
    case "":
      throw new Refusal("invalid", "Missing command after HEALTHCHECK CMD");
    case "NONE":
      if (command !== "") throw new Refusal("invalid", "HEALTHCHECK NONE takes no arguments");
      return { Test: ["NONE"] };
    case "CMD": {
      const exec = execForm(command);
      if (more.length === 0 || exec?.length === 0)
        throw new Refusal("invalid", "Missing command after HEALTHCHECK CMD");
      return { Test: exec === undefined ? ["CMD-SHELL", command] : ["CMD", ...exec], ...options };
    }
    default:
      throw new Refusal("invalid", `Unknown type "${kind}" in HEALTHCHECK (try CMD)`);
  }
}

function option(name: string, value: string | undefined): HealthConfig {
  if (value === undefined) throw new Refusal("invalid", `Missing a value on flag: ${name}`);
  switch (name) {
    case "retries":
      if (!/^-?\d{1,9}$/.test(value)) throw new Refusal("invalid", `--retries is no number: ${value}`);
      if (Number(value) < 0) throw new Refusal("invalid", `--retries cannot be negative (${value})`);
      return { Retries: Number(value) };
    case "interval":
      return { Interval: span(name, value) };
    case "timeout":
      return { Timeout: span(name, value) };
    case "start-period":
      return { StartPeriod: span(name, value) };
    case "start-interval":
      return { StartInterval: span(name, value) };
    default:
      throw new Refusal("invalid", `Unknown flag: ${name}`);
  }
}

const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 6e10,
  h: 3.6e12,
};

/** Go's durations ("1m30s") in nanoseconds. */
function span(name: string, text: string): number {
  if (!/^(0|(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+)$/.test(text))
    throw new Refusal("invalid", `time: invalid duration "${text}"`);
  let total = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g))
    total += Number(number) * UNITS[unit!]!;
  if (total !== 0 && total < UNITS.ms!)
    throw new Refusal("invalid", `Interval "${name}" cannot be less than 1ms`);
  return Math.round(total);
}

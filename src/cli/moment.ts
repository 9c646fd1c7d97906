import { Failure } from "./failure.ts";
import { duration } from "./flags/quantity.ts";

/**
 * A time as people type it, as the API takes it (seconds since 1970, with nanoseconds after a point):
 * `42m` (ago), seconds, a date, or a date and time with or without fraction and zone.
 */
export function moment(text: string, now = Date.now()): string {
  if (/^\d+(?:\.\d+)?$/.test(text)) return text;
  try {
    const at = now - duration(text) / 1e6;
    return stamp(Math.floor(at / 1000), Math.round((at % 1000) * 1e6));
  } catch {
    return date(text);
  }
}

function date(text: string): string {
  const match =
    /^(\d{4}-\d\d-\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?(Z|[+-]\d\d:\d\d)?)?$/.exec(text);
  const [, day, hour = "00", minute = "00", second = "00", fraction = "", zone = ""] = match ?? [];
  const at = Date.parse(`${day}T${hour}:${minute}:${second}${zone}`);
  if (!match || Number.isNaN(at))
    throw new Failure(`failed to parse value as time or duration: ${JSON.stringify(text)}`);
  return stamp(at / 1000, Number(fraction.padEnd(9, "0")));
}

function stamp(seconds: number, nanoseconds: number): string {
  return `${seconds}.${String(nanoseconds).padStart(9, "0")}`;
}

import { API_VERSION, MIN_API_VERSION } from "../wire/version.ts";

export interface Versioned {
  /** Minor number: 43 of 1.43. */
  readonly minor: number;
  readonly path: string;
}

/** A version that is not spoken. Docker answers clients that are too old in plain text, others in JSON. */
export interface Unspoken {
  readonly sentence: string;
  readonly plain: boolean;
}

const PREFIX = /^\/v([0-9.]{1,16})(?=\/|$)/;

/** Takes `/v1.43` off a path; without it the newest version is meant. The sentences are Docker's. */
export function splitVersion(path: string): Versioned | Unspoken {
  const match = PREFIX.exec(path);
  if (!match) return { minor: minorOf(API_VERSION), path };
  const asked = match[1]!;
  if (compare(asked, MIN_API_VERSION) < 0) {
    return {
      sentence: `client version ${asked} is too old. Minimum supported API version is ${MIN_API_VERSION}, please upgrade your client to a newer version`,
      plain: true,
    };
  }
  if (compare(asked, API_VERSION) > 0) {
    const sentence = `client version ${asked} is too new. Maximum supported API version is ${API_VERSION}`;
    return { sentence, plain: false };
  }
  return { minor: minorOf(asked), path: path.slice(match[0].length) || "/" };
}

const minorOf = (version: string): number => Number(version.split(".")[1] ?? 0);

/** Number by number, as Docker compares versions: `1.5` is older than `1.24`, `1` is `1.0`. */
function compare(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split(".").map(Number));
  for (let at = 0; at < Math.max(left!.length, right!.length); at++) {
    const difference = (left![at] ?? 0) - (right![at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

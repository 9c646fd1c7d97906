import { API_VERSION, MIN_API_VERSION } from "../wire/version.ts";

export interface Versioned {
  /** Minor number: 43 of 1.43. */
  readonly minor: number;
  readonly path: string;
}

const PREFIX = /^\/v(\d{1,3})\.(\d{1,4})(?=\/|$)/;
const newest = Number(API_VERSION.slice(2));
const oldest = Number(MIN_API_VERSION.slice(2));

/**
 * Takes `/v1.43` off a path; without it the newest version is meant.
 * @returns one sentence, Docker's, when the version is not spoken
 */
export function splitVersion(path: string): Versioned | string {
  const match = PREFIX.exec(path);
  if (!match) return { minor: newest, path };
  const asked = `${match[1]}.${match[2]}`;
  const minor = Number(match[2]);
  if (match[1] !== "1" || minor > newest) {
    return `client version ${asked} is too new. Maximum supported API version is ${API_VERSION}`;
  }
  if (minor < oldest) {
    return `client version ${asked} is too old. Minimum supported API version is ${MIN_API_VERSION}, please upgrade your client to a newer version`;
  }
  return { minor, path: path.slice(match[0].length) || "/" };
}

/**
 * What `cais runtime create` leaves for the front (`src/front/runtime`): a file in the container's directory that says
 * that `start` and `delete` are nothing but a few calls, since no hook is to be run and no unit of systemd's is to be
 * told. It begins with the build that wrote it, and then has the directories of its cgroups, each with a NUL, and an
 * empty one at the end. Who changes what it says removes it first; without it the runtime does everything.
 */
export const QUICK = "quick";

/** Where the front puts the record of a step that failed after the start, for the runtime to tell. */
export const LATE = "late";

/** Bytes that the file has at most. */
export const QUICK_LIMIT = 8192;

/** The file; null where there is no build, or it would be too long. */
export function quickFile(build: string | undefined, directories: readonly string[]): Buffer | null {
  if (build === undefined) return null;
  const bytes = Buffer.from(`${build}\0${directories.map((each) => `${each}\0`).join("")}\0`);
  return bytes.length < QUICK_LIMIT ? bytes : null;
}

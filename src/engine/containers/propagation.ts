import { existsSync, readFileSync, realpathSync } from "node:fs";
import type { MountPoint } from "../../container/spec/mountpoint.ts";
import type { Propagation } from "../../wire/mount.ts";
import { invalid } from "../refuse.ts";

/**
 * What is mounted below the engine's directory is taken away again, which must reach everybody who sees it: a bind of
 * the directory, of what is above it or of a part of it follows the host's mounts, as in Docker.
 * @returns how a bind is told to propagate
 * @throws Refusal (400) with Docker's sentence for one that asks for a copy
 */
export function propagationOf(root: string, { source, propagation }: MountPoint): Propagation {
  if (!isWithin(root, source) && !isWithin(source, root)) return propagation || "rprivate";
  if (propagation === "" || propagation === "rslave") return "rslave";
  if (propagation === "rshared") return propagation;
  throw invalid(
    `invalid mount config: must use either propagation mode "rslave" or "rshared" when mount source is within the daemon root, daemon root: ${JSON.stringify(root)}, bind mount source: ${JSON.stringify(source)}, propagation: ${JSON.stringify(propagation)}`,
  );
}

/** Whether a bind that did not ask for it follows its source's mounts: it can where those are told of. */
export function follows({ propagation, source }: MountPoint, told: string | undefined): boolean {
  if (propagation !== "" || told !== "rslave" || !existsSync(source)) return false;
  const { shared, slave } = mountOf(realpathSync(source));
  return shared || slave;
}

const isWithin = (path: string, directory: string): boolean =>
  path === directory || path.startsWith(directory === "/" ? "/" : `${directory}/`);

/**
 * What is mounted below a source can only reach a container, or come back from it, where the source's own mount is
 * shared with others (mount_namespaces(7)).
 * @throws Refusal with Docker's sentence
 */
export function checkPropagation(points: readonly MountPoint[]): void {
  for (const { type, source, propagation } of points) {
    if (type !== "bind" || !/^r?(shared|slave)$/.test(propagation)) continue;
    const { place, shared, slave } = mountOf(realpathSync(source));
    if (shared || (slave && propagation.endsWith("slave"))) continue;
    const wanted = propagation.endsWith("slave") ? "a shared or slave" : "a shared";
    throw invalid(`path ${source} is mounted on ${place} but it is not ${wanted} mount`);
  }
}

/** The mount that a path is on: the one whose place is the longest beginning of it (proc_pid_mountinfo(5)). */
function mountOf(path: string): {
  readonly place: string;
  readonly shared: boolean;
  readonly slave: boolean;
} {
  let found = { place: "", shared: false, slave: false };
  for (const line of readFileSync("/proc/self/mountinfo", "utf8").split("\n")) {
    const fields = line.split(" ");
    const place = fields[4]?.replace(/\\(\d{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    if (place === undefined || place.length < found.place.length) continue;
    if (path !== place && !path.startsWith(place === "/" ? "/" : `${place}/`)) continue;
    const tags = fields.slice(6, fields.indexOf("-"));
    found = {
      place,
      shared: tags.some((tag) => tag.startsWith("shared:")),
      slave: tags.some((tag) => tag.startsWith("master:")),
    };
  }
  return found;
}

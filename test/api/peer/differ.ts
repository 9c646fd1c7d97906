/** One place in which two answers differ. */
export interface Difference {
  readonly path: string;
  readonly docker: unknown;
  readonly cais: unknown;
}

/**
 * Where two normalised values differ. Below a path that `free` matches only types must be the same; a path that
 * begins with `-` may be absent on either side and need not be alike at all.
 */
export function differences(
  docker: unknown,
  cais: unknown,
  free: readonly string[],
  path = "",
): Difference[] {
  if (free.some((one) => one.startsWith("-") && matches(one.slice(1), path))) return [];
  if (isRecord(docker) && isRecord(cais)) {
    const names = [...new Set([...Object.keys(docker), ...Object.keys(cais)])];
    return names.flatMap((name) =>
      differences(docker[name], cais[name], free, path === "" ? name : `${path}.${name}`),
    );
  }
  if (Array.isArray(docker) && Array.isArray(cais) && docker.length === cais.length) {
    return docker.flatMap((one, index) => differences(one, cais[index], free, `${path}[${index}]`));
  }
  const typesOnly = free.some((one) => matches(one, path));
  const same = typesOnly ? kind(docker) === kind(cais) : JSON.stringify(docker) === JSON.stringify(cais);
  return same ? [] : [{ path, docker, cais }];
}

function matches(pattern: string, path: string): boolean {
  const source = pattern.replaceAll(/[.[\]]/g, "\\$&").replaceAll("*", ".*");
  return new RegExp(`^${source}$`, "s").test(path);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const kind = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "list" : typeof value;

/** For the message of a failed test. */
export const tell = (found: readonly Difference[]): string =>
  found
    .map(({ path, docker, cais }) => `  ${path}\n    docker ${short(docker)}\n    cais   ${short(cais)}`)
    .join("\n");

const short = (value: unknown): string => (JSON.stringify(value) ?? "absent").slice(0, 1500);

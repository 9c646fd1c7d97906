import { RuntimeError } from "../failure.ts";

/** Where a container's scope is, and what it is called. */
export interface ScopePlace {
  readonly unit: string;
  readonly slice: string;
  /** Its cgroup, relative to the tree's mount. */
  readonly cgroup: string;
}

/** Of a configuration that names none, as runc has it. */
const DEFAULT_SLICE = "system.slice";
const DEFAULT_PREFIX = "cais";
/** What the name of a unit may have in it (systemd.unit(5)), and how long it may be. */
const UNIT = /^[A-Za-z0-9:_.\\@-]{1,255}$/;

/**
 * `linux.cgroupsPath` as callers write it for systemd: `slice:prefix:name`, where the slice may be left out.
 * @throws RuntimeError for another form, or names that no unit can have
 */
export function placeOfScope(path: string | undefined, id: string): ScopePlace {
  const wanted = path === undefined || path === "" ? `:${DEFAULT_PREFIX}:${id}` : path;
  const parts = wanted.split(":");
  const [slice = "", prefix = "", name = ""] = parts;
  if (parts.length !== 3)
    throw new RuntimeError(
      `expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got ${JSON.stringify(wanted)} instead`,
    );
  if (name.endsWith(".slice"))
    throw new RuntimeError(
      `Cannot use cgroupsPath ${wanted}: a slice holds units, not processes: name a scope, without .slice at its end`,
    );
  const unit = `${prefix}-${name}.scope`;
  const parent = slice === "" ? DEFAULT_SLICE : slice === "-" ? "-.slice" : slice;
  if (name === "" || !UNIT.test(unit))
    throw new RuntimeError(`Cannot use cgroupsPath ${wanted}: ${unit} is no name of a unit`);
  return { unit, slice: parent, cgroup: `${pathOfSlice(parent, wanted)}/${unit}` };
}

/** `a-b.slice` is in `a.slice` (systemd.slice(5)); the root slice is the root. */
function pathOfSlice(slice: string, wanted: string): string {
  if (slice === "-.slice") return "";
  const words = slice.replace(/\.slice$/, "").split("-");
  if (!UNIT.test(slice) || !slice.endsWith(".slice") || words.some((word) => word === ""))
    throw new RuntimeError(
      `Cannot use cgroupsPath ${wanted}: ${slice} is no slice: name one like machine.slice, without slashes`,
    );
  return words.map((_, index) => `/${words.slice(0, index + 1).join("-")}.slice`).join("");
}

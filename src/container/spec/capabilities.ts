import {
  CAPABILITIES,
  type CapabilityName,
  capabilityName,
  DEFAULT_CAPABILITIES,
} from "../../kernel/capabilities.ts";
import type { Capabilities } from "../../oci/runtime/spec.ts";
import type { HostConfig } from "../../wire/container.ts";

/**
 * What `--cap-add` and `--cap-drop` leave: all of the engine's with `--privileged`, else the default with the dropped
 * ones out and the added ones at the end; `ALL` added means all but the dropped ones, `ALL` dropped only the added.
 * Names must have been validated.
 */
export function boundingSet(host: HostConfig, own: readonly CapabilityName[]): readonly CapabilityName[] {
  if (host.Privileged) return own;
  const add = names(host.CapAdd);
  const drop = names(host.CapDrop);
  if (add.includes("ALL")) return own.filter((name) => !drop.includes(name));
  const added = add.filter((name) => name !== "ALL") as CapabilityName[];
  const kept = drop.includes("ALL") ? [] : DEFAULT_CAPABILITIES.filter((name) => !drop.includes(name));
  return [...new Set([...kept, ...added])];
}

/** The sets of a process; no ambient ones, so that a process that is not root gets none at `execve`. */
export function capabilitySets(bounding: readonly CapabilityName[]): Capabilities {
  return { bounding, effective: bounding, permitted: bounding };
}

/** Why the words of an option are no capabilities, in Docker's sentence. */
export function wrongCapability(
  option: "CapAdd" | "CapDrop",
  words: readonly string[] | null | undefined,
  own: readonly CapabilityName[],
): string | undefined {
  for (const word of words ?? []) {
    if (word.toUpperCase() === "ALL") continue;
    const name = capabilityName(word);
    const asked = word.toUpperCase().startsWith("CAP_") ? word.toUpperCase() : `CAP_${word.toUpperCase()}`;
    if (name === undefined) return `invalid ${option}: unknown capability: "${asked.slice(0, 60)}"`;
    if (option === "CapAdd" && !own.includes(name)) {
      return `invalid ${option}: capability not supported by your kernel or not available in the current environment: "${name}"`;
    }
  }
  return undefined;
}

/** Sorted, as Docker keeps them. */
function names(words: readonly string[] | null | undefined): readonly (CapabilityName | "ALL")[] {
  const all = (words ?? []).map((word) => (word.toUpperCase() === "ALL" ? "ALL" : capabilityName(word)));
  return [
    ...new Set(all.filter((name) => name === "ALL" || (name !== undefined && name in CAPABILITIES))),
  ].toSorted() as (CapabilityName | "ALL")[];
}

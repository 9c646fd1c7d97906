import type { ContainerId } from "./id.ts";
import { randomName } from "./words.ts";

/** Docker's rule for container and volume names. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

export type Found =
  | { readonly kind: "one"; readonly id: ContainerId }
  | { readonly kind: "none" }
  | { readonly kind: "several" };

/** Who has which name, and which ids begin how. Names are without Docker's leading slash. */
export interface Names {
  add(id: ContainerId, name: string): void;
  remove(id: ContainerId, name: string): void;
  /** Who has it. */
  holder(name: string): ContainerId | undefined;
  /** A name nobody has. */
  invent(): string;
  /** By full id, then by name, then by the beginning of an id, as Docker looks. */
  find(reference: string): Found;
}

/** @returns one sentence that says what is wrong with `name`, null when it is fine */
export function badName(name: string): string | null {
  if (NAME.test(name) && name.length <= 255) return null;
  return `Invalid container name (${name.slice(0, 80)}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`;
}

/** An index in which nobody is yet. */
export function createNames(): Names {
  const byName = new Map<string, ContainerId>();
  const ids = new Set<ContainerId>();

  return {
    add(id, name) {
      byName.set(name, id);
      ids.add(id);
    },
    remove(id, name) {
      if (byName.get(name) === id) byName.delete(name);
      ids.delete(id);
    },
    holder: (name) => byName.get(name),
    invent() {
      for (let attempt = 0; ; attempt++) {
        const name = randomName(attempt);
        if (!byName.has(name)) return name;
      }
    },
    find(reference) {
      if (ids.has(reference as ContainerId)) return { kind: "one", id: reference as ContainerId };
      const named = byName.get(reference.startsWith("/") ? reference.slice(1) : reference);
      if (named) return { kind: "one", id: named };
      if (!/^[0-9a-f]{1,64}$/.test(reference)) return { kind: "none" };
      let found: ContainerId | undefined;
      for (const id of ids) {
        if (!id.startsWith(reference)) continue;
        if (found) return { kind: "several" };
        found = id;
      }
      return found ? { kind: "one", id: found } : { kind: "none" };
    },
  };
}

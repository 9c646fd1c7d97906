import { readFileSync } from "node:fs";
import { once } from "./once.ts";

/** Whose rights a process has: those of the machine's root, of the root of a user namespace, or of a user. */
export type Rights = "machine" | "namespace" | "user";

/** This process's (user_namespaces(7)). */
export const ownRights = once(
  (): Rights => (process.geteuid?.() !== 0 ? "user" : isWhole(mapOfUsers()) ? "machine" : "namespace"),
);

/** Whether a map is that of the first user namespace: every user is itself. */
export const isWhole = (map: string): boolean => map.trim().split(/\s+/).join(" ") === "0 0 4294967295";

function mapOfUsers(): string {
  try {
    return readFileSync("/proc/self/uid_map", "utf8");
  } catch {
    // A kernel without user namespaces has one.
    return "0 0 4294967295";
  }
}

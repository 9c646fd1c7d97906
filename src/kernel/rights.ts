import { readFileSync } from "node:fs";

/** Whose rights a process has: those of the machine's root, of the root of a user namespace, or of a user. */
export type Rights = "machine" | "namespace" | "user";

let own: Rights | undefined;

/** This process's, asked once (user_namespaces(7)). */
export function ownRights(): Rights {
  own ??= process.geteuid?.() !== 0 ? "user" : isWhole(mapOfUsers()) ? "machine" : "namespace";
  return own;
}

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

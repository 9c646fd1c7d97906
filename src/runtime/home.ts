import { resolveUser } from "../container/spec/user.ts";
import { userFiles } from "../container/spec/user-files.ts";
import type { Process } from "../oci/runtime/spec.ts";

/** Programs count on `HOME`, and callers on the runtime to set it: runc takes it from the image's `/etc/passwd`. */
export function withHome(process: Process, rootfs: string): Process {
  const { user } = process;
  const env = lastOfEach(process.env ?? []);
  if (env.some((entry) => /^HOME=./.test(entry))) return { ...process, env };
  const others = env.filter((entry) => !entry.startsWith("HOME="));
  return { ...process, env: [...others, `HOME=${homeOf(user.uid, rootfs)}`] };
}

/** Of a variable that is set twice the last value counts, for programs and for the search of the program itself. */
function lastOfEach(env: readonly string[]): readonly string[] {
  return [...new Map(env.map((entry) => [entry.split("=", 1)[0] ?? "", entry])).values()];
}

/** A file that is no user database is none. */
function homeOf(uid: number, rootfs: string): string {
  try {
    return resolveUser(String(uid), [], userFiles({ kind: "directory", path: rootfs })).home;
  } catch {
    return "/";
  }
}

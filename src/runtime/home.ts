import { resolveUser } from "../container/spec/user.ts";
import { userFiles } from "../container/spec/user-files.ts";
import type { Process } from "../oci/runtime/spec.ts";

/** Programs count on `HOME`, and callers on the runtime to set it: runc takes it from the image's `/etc/passwd`. */
export function withHome(process: Process, rootfs: string): Process {
  const { env = [], user } = process;
  if (env.some((entry) => /^HOME=./.test(entry))) return process;
  const others = env.filter((entry) => !entry.startsWith("HOME="));
  return { ...process, env: [...others, `HOME=${homeOf(user.uid, rootfs)}`] };
}

/** A file that is no user database is none. */
function homeOf(uid: number, rootfs: string): string {
  try {
    return resolveUser(String(uid), [], userFiles({ kind: "directory", path: rootfs })).home;
  } catch {
    return "/";
  }
}

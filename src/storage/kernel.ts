import { AT, O, S } from "../kernel/flags.ts";
import { call, from, mem, num } from "../plan/build.ts";
import type { Arg, Call, Data, Plan, Step } from "../plan/step.ts";

/** Runs a plan and returns what its calls wrote to descriptor 1; throws when a step fails. */
export type RunPlan = (plan: Plan) => Promise<{ readonly output: Uint8Array }>;

/** A path that may hold any byte (latin1 text) as a NUL-terminated argument. */
function path(text: string): Arg {
  return mem(bytes(Buffer.from(`${text}\0`, "latin1")));
}

function bytes(value: Uint8Array): Data {
  return { kind: "bytes", bytes: value };
}

/** Steps before any other of a batch: paths are relative to `directory`, modes are taken as they are. */
export function inDirectory(directory: string): Step[] {
  return [
    call("umask", [num(0)], "create nodes with exactly the permissions they state"),
    call("chdir", [path(directory)], "work inside the layer, with short paths"),
  ];
}

/** The kernel's encoding of a device number (`new_encode_dev`, include/linux/kdev_t.h). */
function deviceNumber(major: number, minor: number): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

export interface Node {
  readonly path: string;
  /** File type and permissions. */
  readonly mode: number;
  readonly major: number;
  readonly minor: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970. */
  readonly mtime: number;
}

/**
 * Makes a device or FIFO with its owner, permissions and time. Where somebody else may put a link in its place, `alone`
 * is false: then nothing is done that would follow it, and bits to run as another user, which mean nothing, are lost.
 */
export function makeNode(node: Node, alone: boolean): Call[] {
  const seconds = Math.floor(node.mtime);
  const nanoseconds = Math.round((node.mtime - seconds) * 1e9);
  const times = new Uint8Array(BigInt64Array.of(0n, 0n, BigInt(seconds), BigInt(nanoseconds)).buffer);
  const why = "make a special file of the layer";
  const at = num(AT.FDCWD, "AT_FDCWD");
  const flags = num(AT.SYMLINK_NOFOLLOW, "AT_SYMLINK_NOFOLLOW");
  return [
    call("mknodat", [at, path(node.path), num(node.mode), num(deviceNumber(node.major, node.minor))], why),
    call("fchownat", [at, path(node.path), num(node.uid), num(node.gid), flags], why),
    ...(alone ? [call("fchmodat", [at, path(node.path), num(node.mode & 0o7777)], why)] : []),
    call("utimensat", [at, path(node.path), mem(bytes(times)), flags], why),
  ];
}

/** Hides a name of the layers below (overlayfs.rst, "whiteouts and opaque directories"). */
export function makeWhiteout(name: string): Call {
  const at = num(AT.FDCWD, "AT_FDCWD");
  const args = [at, path(name), num(S.IFCHR, "S_IFCHR"), num(0, "makedev(0, 0)")];
  return call("mknodat", args, "hide what a lower layer has under this name", { tolerate: ["EEXIST"] });
}

/** Hides everything that lower layers have in this directory. */
export function makeOpaque(name: string): Call {
  return setXattr(name, "trusted.overlay.opaque", Buffer.from("y"));
}

/** Sets an extended attribute of the file itself, never of what it links to. */
export function setXattr(name: string, key: string, value: Uint8Array): Call {
  const args = [path(name), path(key), mem(bytes(value)), num(value.length), num(0)];
  return call("lsetxattr", args, `set the extended attribute ${key}`);
}

/** Writes everything of the file system that holds `directory` to its disk. */
export function syncPlan(directory: string): Plan {
  const why = "have the layer on the disk before it gets its name";
  const flags = num(O.CLOEXEC, "O_CLOEXEC");
  return {
    steps: [
      call("openat", [num(AT.FDCWD, "AT_FDCWD"), mem({ kind: "text", text: directory }), flags], why, {
        result: "layer",
      }),
      call("syncfs", [from("layer")], why),
    ],
  };
}

/**
 * Numbers of the kernel's interface that are the same on x86-64 and aarch64, from the headers named beside
 * them. `O_DIRECTORY` and `O_NOFOLLOW` are not among them (aarch64 has its own), so plans do without.
 */

/** asm-generic/fcntl.h */
export const O = {
  RDONLY: 0,
  WRONLY: 0x1,
  RDWR: 0x2,
  CREAT: 0x40,
  EXCL: 0x80,
  NOCTTY: 0x100,
  TRUNC: 0x200,
  APPEND: 0x400,
  NONBLOCK: 0x800,
  CLOEXEC: 0x80000,
  PATH: 0x200000,
} as const;

/** linux/fcntl.h */
export const AT = {
  FDCWD: -100,
  SYMLINK_NOFOLLOW: 0x100,
  REMOVEDIR: 0x200,
  EMPTY_PATH: 0x1000,
  RECURSIVE: 0x8000,
} as const;

/** linux/sched.h */
export const CLONE = {
  NEWTIME: 0x80,
  VM: 0x100,
  PIDFD: 0x1000,
  VFORK: 0x4000,
  PARENT: 0x8000,
  NEWNS: 0x20000,
  NEWCGROUP: 0x2000000,
  NEWUTS: 0x4000000,
  NEWIPC: 0x8000000,
  NEWUSER: 0x10000000,
  NEWPID: 0x20000000,
  NEWNET: 0x40000000,
} as const;

/** linux/mount.h */
export const MS = {
  RDONLY: 0x1,
  NOSUID: 0x2,
  NODEV: 0x4,
  NOEXEC: 0x8,
  SYNCHRONOUS: 0x10,
  REMOUNT: 0x20,
  MANDLOCK: 0x40,
  DIRSYNC: 0x80,
  NOSYMFOLLOW: 0x100,
  NOATIME: 0x400,
  NODIRATIME: 0x800,
  BIND: 0x1000,
  REC: 0x4000,
  SILENT: 0x8000,
  POSIXACL: 0x10000,
  UNBINDABLE: 0x20000,
  PRIVATE: 0x40000,
  SLAVE: 0x80000,
  SHARED: 0x100000,
  RELATIME: 0x200000,
  I_VERSION: 0x800000,
  STRICTATIME: 0x1000000,
  LAZYTIME: 0x2000000,
} as const;

/** linux/mount.h */
export const MNT_DETACH = 2;

/** linux/mount.h */
export const OPEN_TREE = { CLONE: 1, CLOEXEC: 0x80000 } as const;
/** linux/mount.h */
export const MOVE_MOUNT = { F_EMPTY_PATH: 0x4, T_SYMLINKS: 0x10, T_EMPTY_PATH: 0x40 } as const;
/** linux/mount.h */
export const FSOPEN_CLOEXEC = 1;
/** linux/mount.h */
export const FSMOUNT_CLOEXEC = 1;
/** linux/mount.h, enum fsconfig_command */
export const FSCONFIG = { SET_FLAG: 0, SET_STRING: 1, CMD_CREATE: 6 } as const;

/** linux/mount.h */
export const MOUNT_ATTR = {
  RDONLY: 0x1,
  NOSUID: 0x2,
  NODEV: 0x4,
  NOEXEC: 0x8,
  ATIME: 0x70,
  NOATIME: 0x10,
  STRICTATIME: 0x20,
  NODIRATIME: 0x80,
  IDMAP: 0x100000,
  NOSYMFOLLOW: 0x200000,
} as const;

/** linux/prctl.h */
export const PR = {
  SET_PDEATHSIG: 1,
  SET_DUMPABLE: 4,
  SET_KEEPCAPS: 8,
  SET_NAME: 15,
  CAPBSET_DROP: 24,
  SET_SECUREBITS: 28,
  SET_CHILD_SUBREAPER: 36,
  SET_NO_NEW_PRIVS: 38,
  CAP_AMBIENT: 47,
} as const;

/** linux/prctl.h */
export const PR_CAP_AMBIENT = { RAISE: 2, CLEAR_ALL: 4 } as const;

/** bits/socket.h, asm-generic/ioctls.h, linux/sockios.h, linux/if.h, linux/ethtool.h */
export const SOCKET = {
  AF_UNIX: 1,
  AF_INET: 2,
  STREAM: 1,
  DGRAM: 2,
  SEQPACKET: 5,
  CLOEXEC: 0x80000,
  SIOCSIFFLAGS: 0x8914,
  SIOCGIFINDEX: 0x8933,
  SIOCETHTOOL: 0x8946,
  ETHTOOL_GLINK: 0xa,
  IFF_UP: 1,
} as const;

/** asm-generic/ioctls.h */
export const TTY = {
  TCGETS: 0x5401,
  TCSETSW: 0x5403,
  TIOCSCTTY: 0x540e,
  TIOCGWINSZ: 0x5413,
  TIOCSWINSZ: 0x5414,
  TIOCSPTLCK: 0x40045431,
  TIOCGPTPEER: 0x5441,
  /** asm-generic/termbits.h, flags of output. */
  OPOST: 1,
  ONLCR: 4,
} as const;

/** linux/stat.h */
export const S = { IFIFO: 0o010000, IFCHR: 0o020000, IFBLK: 0o060000 } as const;

/** linux/signalfd.h */
export const SFD = { CLOEXEC: 0x80000, NONBLOCK: 0x800 } as const;
/** asm-generic/signal-defs.h */
export const SIG = { BLOCK: 0, UNBLOCK: 1, SETMASK: 2 } as const;
/** linux/close_range.h */
export const CLOSE_RANGE_CLOEXEC = 4;
/** linux/capability.h */
export const CAPABILITY_VERSION_3 = 0x20080522;
/** linux/seccomp.h */
export const SECCOMP = {
  SET_MODE_FILTER: 1,
  FLAG_TSYNC: 1,
  FLAG_LOG: 2,
  FLAG_SPEC_ALLOW: 4,
  FLAG_NEW_LISTENER: 8,
  FLAG_TSYNC_ESRCH: 16,
  FLAG_WAIT_KILLABLE_RECV: 32,
} as const;

type Table = Readonly<Record<string, number>>;

/** Flags of `table` by name: their sum, and how people write it (`MS_NOSUID|MS_NODEV`). */
export function flags<T extends Table>(
  prefix: string,
  table: T,
  ...names: readonly (keyof T & string)[]
): { readonly value: number; readonly text: string } {
  let value = 0;
  for (const name of names) value |= table[name] ?? 0;
  return { value, text: names.map((name) => `${prefix}_${name}`).join("|") || "0" };
}

/** linux/securebits.h */
export const SECBIT_NO_SETUID_FIXUP = 4;

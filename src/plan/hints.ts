import type { ErrnoName } from "../kernel/errno.ts";
import type { Numbered, Step } from "./step.ts";

/**
 * What a person can do about a step that failed and has no hint of its own: by the call first, then by the error.
 * Where an error can have several causes the likeliest comes first (man pages of the calls, section 2).
 */

type Advice = Partial<Record<ErrnoName, string>>;

const MAX_NAMESPACES =
  "sysctl user | grep max_ shows the limits of namespaces; raise the one that is used up";

const NAMESPACES: Advice = {
  EPERM:
    "run the engine as root with CAP_SYS_ADMIN; in a container it must be a privileged one, and user namespaces need kernel.unprivileged_userns_clone=1 where that exists",
  ENOSPC: `${MAX_NAMESPACES} (user.max_user_namespaces=0 turns user namespaces off), and namespaces nest 32 levels at most`,
  EUSERS: MAX_NAMESPACES,
  EINVAL: "this kernel was built without one of these namespaces: look for CONFIG_*_NS in its configuration",
};

const CLONE: Advice = {
  ...NAMESPACES,
  EAGAIN: "a limit of processes is used up: kernel.pid_max, ulimit -u, or pids.max of the engine's cgroup",
  EBUSY:
    "the cgroup has controllers enabled for children, so no process may be in it (cgroups(7), no internal processes)",
  EACCES: "the cgroup is not writable: mount cgroup2 read-write, or delegate the cgroup to the engine",
  EOPNOTSUPP: "the cgroup is a threaded one: give the engine a domain cgroup as parent",
};

const MOUNT: Advice = {
  ENODEV:
    "this kernel has no such file system: load its module (modprobe overlay), or use the vfs storage driver for overlay",
  EPERM:
    "mounting needs CAP_SYS_ADMIN over the mount namespace; in a container run it privileged, and in a user namespace proc and sysfs need a host whose own are not covered",
  ELOOP:
    "overlays can be stacked only twice: put the engine's root on a file system that is no overlay (--root)",
  EINVAL:
    "the kernel refuses an option or the file system below: an overlay's upper directory cannot be on another overlay, NFS or FAT; dmesg says which",
  ENOSPC: "too many mounts in this namespace (fs.mount-max), or no space left for the file system",
  EBUSY: "it is in use by another mount: a container with the same root may still run",
  EACCES: "the device or the file system is read-only, or a security module refuses: see dmesg",
  ESTALE: "the directory was used with other layers before: remove the container and create it again",
};

const EXECUTE: Advice = {
  ENOENT:
    "no such program in the container, or the interpreter that it names in its first line or ELF header is missing",
  EACCES:
    "the file is not executable, a directory before it cannot be entered, or its file system is mounted noexec",
  ENOEXEC:
    "it is no program for this machine: another architecture, or a script without #! in its first line",
  EPERM: "a file system mounted nosuid, or a seccomp or security policy, refuses it",
  E2BIG: "arguments and environment are too long together (a quarter of ulimit -s)",
  ETXTBSY: "somebody has the program open for writing",
};

const CGROUP: Advice = {
  EROFS:
    "cgroups are mounted read-only here: in a container, run it privileged or with a writable /sys/fs/cgroup",
  EACCES: "the cgroup is not writable: run as root, or delegate it to this user (systemd: Delegate=yes)",
  EPERM: "the cgroup is not writable: run as root, or delegate it to this user (systemd: Delegate=yes)",
  ENOENT:
    "this kernel has no such limit, or its controller is not enabled: see cgroup.subtree_control of the parent",
  EINVAL: "the kernel refuses the value: it may be out of range, or not within what the parent cgroup has",
  EBUSY: "the limit is below what is in use, or the cgroup has processes of its own",
  ENOSPC:
    "the cgroup cannot take it: a cpuset needs cpus and mems first, and cgroup.max.descendants limits how many there are",
};

const BY_CALL: Partial<Record<string, Advice>> = {
  clone3: CLONE,
  unshare: NAMESPACES,
  setns: {
    ...NAMESPACES,
    ENOENT: "the container whose namespace it was has ended",
    ESRCH: "the container whose namespace it was has ended",
    EINVAL: "the file is no namespace of that type",
  },
  mount: MOUNT,
  fsopen: MOUNT,
  fsconfig: MOUNT,
  fsmount: MOUNT,
  move_mount: {
    ...MOUNT,
    // fs/namespace.c, do_move_mount: the kernel's errno for the two kinds.
    EINVAL:
      "a file cannot be mounted on a directory, nor a directory on a file: source and destination must be of one kind",
    ELOOP: "the destination is a symbolic link, which is not followed here",
  },
  open_tree: { ...MOUNT, ENOENT: "the source does not exist: make it first" },
  mount_setattr: {
    EINVAL: "this kernel or file system has no idmapped mounts (Linux 5.12; 5.19 for overlay)",
    EPERM: "a flag of a mount that is locked cannot be taken away in a user namespace",
    ENOSYS: "this kernel has no mount_setattr; cais needs Linux 5.12 or newer",
  },
  pivot_root: { EINVAL: "the root is on the initial ramfs, or a mount above it is shared: make it private" },
  execve: EXECUTE,
  bpf: {
    EPERM: "device rules need CAP_BPF, or CAP_SYS_ADMIN before Linux 5.8",
    EINVAL: "this kernel lacks CONFIG_CGROUP_BPF",
  },
  seccomp: {
    EINVAL: "this kernel lacks CONFIG_SECCOMP_FILTER, or a flag of the policy",
    EACCES: "the policy needs CAP_SYS_ADMIN or no-new-privileges",
  },
  setresuid: {
    EINVAL: "the user has no number in this user namespace: map it (--userns)",
    EAGAIN: "the user's limit of processes is used up (ulimit -u)",
  },
  setresgid: { EINVAL: "the group has no number in this user namespace: map it (--userns)" },
  mknodat: {
    EPERM: "devices cannot be made without CAP_MKNOD, nor in a user namespace",
    EROFS: "the directory is read-only",
  },
  sethostname: { EINVAL: "a host name has at most 64 characters" },
};

const BY_ERROR: Advice = {
  EPERM: "cais needs the capabilities of root for this; a container that runs it must be privileged",
  EACCES: "a directory cannot be entered or a security module refuses: see dmesg",
  ENOSPC: "free some space or inodes, or a limit such as user.max_mnt_namespaces is used up",
  EDQUOT: "a quota of the file system is used up",
  EROFS: "the file system is read-only: choose another place with --root or --run",
  ENOMEM: "free some memory, or raise the limit of the engine's own cgroup",
  EMFILE: "raise the limit of open files (ulimit -n)",
  ENFILE: "the whole machine is out of descriptors (fs.file-max)",
  ENOSYS:
    "this kernel does not have the call, or a seccomp policy around the engine hides it; cais needs Linux 5.12 or newer",
  ENODEV: "this kernel does not have the file system or the device",
  ELOOP: "a path has too many symbolic links, or one where none is followed",
  ENAMETOOLONG: "a path has at most 4095 bytes, a name 255",
  EIO: "the disk or the file system reports an error: see dmesg",
};

/** Whether a step works on the container's cgroup, by the paths that it names. */
function onCgroup(step: Step | Numbered): boolean {
  if (step.kind === "attempt") return step.steps[0] !== undefined && onCgroup(step.steps[0]);
  if (step.kind !== "call") return false;
  if (step.call === "write") return /^limit |cgroup/.test(step.why);
  return step.args.some(
    (arg) => arg.kind === "data" && arg.data.kind === "text" && arg.data.text.startsWith("/sys/fs/cgroup"),
  );
}

/** The hint for a step (`call` as `callName` says it) and an error; undefined where there is nothing to say. */
export function hintFor(step: Numbered, call: string, errno: string): string | undefined {
  const name = errno as ErrnoName;
  const special = step.kind === "message" ? step.hints?.[name] : undefined;
  if (special !== undefined || step.hint !== undefined) return special ?? step.hint;
  // What is said of programs is said of the workload's.
  if (step.kind === "hook") return BY_ERROR[name];
  const advice = call !== "mount" && onCgroup(step) ? CGROUP : BY_CALL[call];
  return advice?.[name] ?? BY_ERROR[name];
}

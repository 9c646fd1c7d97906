import { basename, dirname } from "node:path";
import {
  AT,
  CLONE,
  MNT_DETACH,
  MOUNT_ATTR,
  MS,
  O,
  OPEN_TREE,
  PR,
  SECBIT_NO_SETUID_FIXUP,
} from "../../kernel/flags.ts";
import { call, close, from, mem, num, str, struct, u64 } from "../../plan/build.ts";
import { sendDescriptor } from "../../plan/descriptor.ts";
import { type Reason, type Slot, type Step, SYNC_PARENT } from "../../plan/step.ts";
import { OVERLAY_OPTIONS, type Rootfs } from "../../storage/driver.ts";
import { HERE, makeDirectory, open } from "./files.ts";
import { mountCall } from "./mounts.ts";
import { openOfChild } from "./namespaces.ts";
import { copyOf } from "./place.ts";
import type { Because } from "./reasons.ts";

type Overlay = Extract<Rootfs, { kind: "overlay" }>;

const ROOT: Reason = { why: "give the container its own root file system" };

/** Mounts made from now on stay in this namespace; the host's still arrive, so that it can unmount. */
export function detachPropagation(): Step {
  return mountCall("none", "/", "none", MS.REC | MS.SLAVE, ["MS_REC", "MS_SLAVE"], "", {
    why: "keep the container's mounts out of the host's tree",
  });
}

/** openat2(2): no link of any kind on the way. */
const NO_LINKS = 0x04;

/**
 * Open the tree of a bundle's root into `slot`. A symbolic link on the way is refused, as by runc: whoever may change
 * the bundle could lead the container elsewhere with it.
 */
export function openRoot(path: string, slot: Slot, because: Because): Step[] {
  const hint = `${path} must be a directory that no symbolic link leads to`;
  const reason = because("root.path", "open the container's root file system", hint);
  const how = struct([u64(O.PATH | O.CLOEXEC, 0, NO_LINKS)]);
  return [
    call("openat2", [HERE, str(path), mem(how, "O_PATH|O_CLOEXEC, RESOLVE_NO_SYMLINKS"), num(24)], reason, {
      result: "root-directory",
    }),
    copyOf("root-directory", slot, reason, true),
    close("root-directory", "close it"),
  ];
}

/** The root of a bundle whose users are the machine's. */
export function mountBundleRoot(path: string, place: string, because: Because): Step[] {
  return [
    ...openRoot(path, "root", because),
    call("move_mount", [from("root"), str(""), HERE, str(place), num(4, "MOVE_MOUNT_F_EMPTY_PATH")], ROOT),
    close("root", "close it"),
    standOnRoot(place),
  ];
}

/** Mount the root at `place`, an empty directory of the host that is covered in this namespace only. */
export function mountRoot(rootfs: Rootfs, place: string): Step[] {
  if (rootfs.kind === "overlay") {
    return [
      call("chdir", [str(rootfs.base)], {
        why: "name layers by short names: mount options end after a page",
      }),
      mountOverlay(rootfs, place, rootfs.lower, rootfs.upper, rootfs.work),
    ];
  }
  return [
    call(
      "open_tree",
      [
        HERE,
        str(rootfs.path),
        num(OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC | AT.RECURSIVE, "OPEN_TREE_CLONE|AT_RECURSIVE"),
      ],
      ROOT,
      { result: "root" },
    ),
    call("move_mount", [from("root"), str(""), HERE, str(place), num(4, "MOVE_MOUNT_F_EMPTY_PATH")], ROOT),
    close("root", "close it"),
  ];
}

function mountOverlay(
  rootfs: Overlay,
  place: string,
  lower: readonly string[],
  upper: string,
  work: string,
): Step {
  const volatile = rootfs.volatile === true ? ",volatile" : "";
  const data = `lowerdir=${lower.map(escapeOption).join(":")},upperdir=${escapeOption(upper)},workdir=${escapeOption(work)},${OVERLAY_OPTIONS}${volatile}`;
  if (data.length >= 4096)
    throw new Error(`Cannot mount ${lower.length} layers: their names do not fit in a page`);
  return mountCall("overlay", place, "overlay", 0, [], data, ROOT);
}

/** Colons, commas and backslashes are special in overlay's options (overlayfs.rst). */
function escapeOption(path: string): string {
  return path.replace(/[\\:,]/g, (character) => `\\${character}`);
}

/** Stand on the mounted root, while the way to it is still that of the host's root. */
export function standOnRoot(place: string): Step {
  return call("chdir", [str(place)], ROOT);
}

/**
 * Make the mounted root the only one (pivot_root(2), "pivot_root(".", ".")"). The old root is then stacked on
 * top, where `/..` leads to it: it goes before any path of the image is looked at.
 */
export function pivot(): Step[] {
  return [
    call("pivot_root", [str("."), str(".")], { why: "make it the only root" }),
    call("umount2", [str("."), num(MNT_DETACH, "MNT_DETACH")], {
      why: "let go of the host's file systems: nothing of the host has a path now",
    }),
    call("chdir", [str("/")], { why: "stand in the new root" }),
  ];
}

/** The root's propagation, once everything is mounted. */
export function propagateRoot(propagation: string | undefined): Step[] {
  const kind = propagation?.replace(/^r/, "");
  const flag = { shared: MS.SHARED, slave: MS.SLAVE, private: MS.PRIVATE, unbindable: MS.UNBINDABLE }[
    kind ?? ""
  ];
  if (flag === undefined) return [];
  const bits = flag | (propagation?.startsWith("r") ? MS.REC : 0);
  const why = "share mounts with others as asked for";
  return [mountCall("none", "/", "none", bits, [`MS_${kind?.toUpperCase()}`], "", { why })];
}

/** Remount the root read-only, after every mount point has been made. */
export function readonlyRoot(because: Because): Step {
  return mountCall(
    "none",
    "/",
    "none",
    MS.REMOUNT | MS.BIND | MS.RDONLY,
    ["MS_REMOUNT", "MS_BIND", "MS_RDONLY"],
    "",
    because("root.readonly", "make the root file system read-only"),
  );
}

/**
 * In the keeper, for a container with its own users: the layers' owners are shifted by idmapped mounts
 * (mount_setattr(2)), which only the host's root can make, and the overlay on top of them is sent to the
 * child. It is built in a mount namespace that exists for these few calls. `trees`, opened and attached nowhere yet,
 * are shown in the same way.
 */
export function mountRootForUsers(
  rootfs: Rootfs,
  place: string,
  owner: Owner,
  trees: readonly { readonly tree: Slot; readonly reason: Reason }[],
  because: Because,
): Step[] {
  const reason = because("linux.uidMappings", "show the image's files as owned by the container's users");
  const layers =
    rootfs.kind === "overlay"
      ? [...rootfs.lower.map((lower) => absolute(rootfs, lower)), dirname(absolute(rootfs, rootfs.upper))]
      : [rootfs.path];
  const at = (index: number) => `${place}/${index}`;
  const merged = rootfs.kind === "overlay" ? `${place}/merged` : at(0);
  return [
    ...openOfChild("ns/user", "user-namespace", "RDONLY", reason),
    ...trees.flatMap((each) => mapOwners(each.tree, each.reason)),
    open("/proc/self/ns/mnt", "host-mounts", { why: "find the way back" }, ["RDONLY"]),
    call("unshare", [num(CLONE.NEWNS, "CLONE_NEWNS")], { why: "mount where nobody sees it" }),
    mountCall("none", "/", "none", MS.REC | MS.PRIVATE, ["MS_REC", "MS_PRIVATE"], "", {
      why: "mount where nobody sees it",
    }),
    mountCall("tmpfs", place, "tmpfs", 0, [], "", { why: "have places to mount on" }),
    ...layers.flatMap((layer, index) => idmapped(layer, at(index), index, reason)),
    ...(rootfs.kind === "overlay"
      ? [
          makeDirectory(merged, 0o755, reason),
          ...actingAs(owner, reason),
          mountOverlay(
            rootfs,
            merged,
            rootfs.lower.map((_, index) => at(index)),
            `${at(layers.length - 1)}/${basename(rootfs.upper)}`,
            `${at(layers.length - 1)}/${basename(rootfs.work)}`,
          ),
          ...actingAs({ uid: 0, gid: 0 }, { why: "be the host's root again" }),
        ]
      : []),
    call(
      "open_tree",
      [HERE, str(merged), num(OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC, "OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC")],
      reason,
      { result: "root" },
    ),
    call("setns", [from("host-mounts"), num(CLONE.NEWNS, "CLONE_NEWNS")], { why: "go back" }),
    close("host-mounts", "close it"),
    close("user-namespace", "close it"),
    ...sendDescriptor("root", SYNC_PARENT, { why: "hand the root to the container" }),
    close("root", "close it"),
  ];
}

/** A user and a group of the host. */
interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Whose files an overlay makes: it acts as whoever mounted it, and the host's root is nobody in an idmapped mount
 * (EOVERFLOW: overlayfs would be read-only). The file capabilities stay: overlayfs needs them to copy up.
 */
function actingAs({ uid, gid }: Owner, reason: Reason): Step[] {
  const bits = num(uid === 0 ? 0 : SECBIT_NO_SETUID_FIXUP, uid === 0 ? "0" : "SECBIT_NO_SETUID_FIXUP");
  const keep = call("prctl", [num(PR.SET_SECUREBITS, "PR_SET_SECUREBITS"), bits], reason);
  const become = [call("setfsgid", [num(gid)], reason), call("setfsuid", [num(uid)], reason)];
  return uid === 0 ? [...become, keep] : [keep, ...become];
}

const absolute = (rootfs: Overlay, path: string) => (path.startsWith("/") ? path : `${rootfs.base}/${path}`);

function idmapped(layer: string, place: string, index: number, reason: Reason): Step[] {
  const slot = `layer.${index}`;
  return [
    makeDirectory(place, 0o755, reason),
    call(
      "open_tree",
      [HERE, str(layer), num(OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC, "OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC")],
      reason,
      {
        result: slot,
      },
    ),
    ...mapOwners(slot, reason),
    call("move_mount", [from(slot), str(""), HERE, str(place), num(4, "MOVE_MOUNT_F_EMPTY_PATH")], reason),
    close(slot, "close it"),
  ];
}

/** Show the files of a tree that is attached nowhere yet with the owners that the container's users see. */
function mapOwners(tree: Slot, reason: Reason): Step[] {
  const attributes = struct([u64(MOUNT_ATTR.IDMAP, 0, 0, 0)], `idmap.${tree}`);
  const hint =
    "this kernel or the file system under the data directory has no idmapped mounts (Linux 5.19 for overlay)";
  return [
    { kind: "store", slot: "user-namespace", to: attributes, offset: 24, size: 8, ...reason },
    call(
      "mount_setattr",
      [
        from(tree),
        str(""),
        num(AT.EMPTY_PATH, "AT_EMPTY_PATH"),
        mem(attributes, "MOUNT_ATTR_IDMAP"),
        num(32),
      ],
      { ...reason, hint },
    ),
  ];
}

/** In the child: the root that the keeper made. */
export function receiveRoot(place: string): Step[] {
  return [
    { kind: "receive", into: "root", ...ROOT },
    call("move_mount", [from("root"), str(""), HERE, str(place), num(4, "MOVE_MOUNT_F_EMPTY_PATH")], ROOT),
    close("root", "close it"),
    standOnRoot(place),
  ];
}

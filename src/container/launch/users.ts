import { AT, flags, MOUNT_ATTR, MOVE_MOUNT } from "../../kernel/flags.ts";
import type { Rights } from "../../kernel/rights.ts";
import type { Linux } from "../../oci/runtime/linux.ts";
import type { IdMapping } from "../../oci/runtime/spec.ts";
import { call, close, from, mem, num, str, struct, u64 } from "../../plan/build.ts";
import { type Slot, type Step, SYNC_PARENT } from "../../plan/step.ts";
import type { Rootfs } from "../../storage/driver.ts";
import { devicesOf, openHostDevices } from "./devices.ts";
import { HERE, open } from "./files.ts";
import type { Bundle } from "./hooks.ts";
import { openSource, type PlannedMount } from "./mounts.ts";
import { denyGroups, hostId, mapText, type Namespaces, writeIdMaps } from "./namespaces.ts";
import { oomScoreOfChild } from "./privileges.ts";
import type { Because } from "./reasons.ts";
import { mountRootForUsers, openRoot, standOnRoot } from "./rootfs.ts";

/** What the keeper does for a container whose users are not the machine's, as only the machine's root can. */

export interface UserParts {
  readonly namespaces: Namespaces;
  readonly linux: Linux;
  readonly binds: readonly PlannedMount[];
  readonly rootfs: Rootfs;
  readonly rootPlace: string;
  readonly bundle: Bundle | undefined;
  readonly oomScoreAdj: number | undefined;
  readonly rights: Rights;
  readonly because: Because;
}

/** Whether the owners of its files are shown in another way, through users of its own. */
const mapped = ({ options }: PlannedMount) => options.idmap;

/** Bind mounts whose sources the keeper opens: all of them, where the container's root may not enter their directories. */
export function keeperBinds({ binds, bundle, namespaces }: UserParts): readonly PlannedMount[] {
  if (namespaces.users !== "machine") return binds;
  return bundle === undefined ? [] : binds.filter(mapped);
}

/** Whether the root is a directory of a bundle, to be shown as it is; layers are shown as owned by the container's users. */
export const plainRoot = (rootfs: Rootfs, bundle: unknown): boolean =>
  bundle !== undefined && rootfs.kind === "directory";

/**
 * Whether it is made in a user namespace: there its devices are the host's own nodes, since none can be made (mknod(2)),
 * and proc and sysfs are made while the host's are in sight (fs_fully_visible in fs/namespace.c).
 */
export const inUserNamespace = ({ namespaces, rights }: UserParts): boolean =>
  namespaces.users !== "machine" || rights !== "machine";

/** Before the clone: what must be opened by the machine's root. */
export function beforeClone(parts: UserParts): Step[] {
  const { because, bundle, linux, namespaces, rights, rootfs } = parts;
  const others = namespaces.users !== "machine";
  if (rights === "user") return [];
  return [
    ...keeperBinds(parts).flatMap(openSource),
    ...(bundle === undefined
      ? []
      : keeperBinds(parts)
          .filter(mapped)
          .flatMap((each) => mapBind(each, parts))),
    ...(inUserNamespace(parts) ? openHostDevices(devicesOf(linux.devices ?? [])) : []),
    ...(others && bundle !== undefined && rootfs.kind === "directory"
      ? openRoot(rootfs.path, "root", because)
      : []),
  ];
}

/** The same in the child, as root of its own users, where the program has no right to a mount. */
export function openInChild({ because, binds, linux, rights, rootfs }: UserParts): Step[] {
  if (rights !== "user") return [];
  const shown = binds.find(mapped);
  if (shown !== undefined)
    throw new Error(`Cannot launch: mounts[${shown.index}].options: idmap is for the machine's root`);
  if (rootfs.kind !== "directory") throw new Error("Cannot launch: layers are for the machine's root");
  return [
    ...binds.flatMap(openSource),
    ...openHostDevices(devicesOf(linux.devices ?? [])),
    ...openRoot(rootfs.path, "root", because),
  ];
}

/** After the clone: say whose users the container's are, hand it what it waits for. */
export function afterClone(parts: UserParts): Step[] {
  const { because, binds, bundle, linux, namespaces, oomScoreAdj, rights, rootfs, rootPlace } = parts;
  const kept = keeperBinds(parts).map(({ tree }) => close(tree, "leave it to the container"));
  if (namespaces.users === "machine") return kept;
  const score = oomScoreOfChild(oomScoreAdj, because);
  if (!plainRoot(rootfs, bundle))
    return [
      ...writeIdMaps(linux, because),
      ...score,
      ...mountRootForUsers(
        rootfs,
        rootPlace,
        rootOf(linux),
        bundle === undefined ? binds.filter(mapped) : [],
        because,
      ),
      ...kept,
    ];
  return [
    ...(rights === "user" ? denyGroups(because) : []),
    ...(namespaces.users === "made" ? writeIdMaps(linux, because) : []),
    ...score,
    call("write", [from(SYNC_PARENT), mem(struct([u64(0, 0, 0)]), "go"), num(24)], "let the container go on"),
    close("root", "leave it to the container"),
    ...kept,
  ];
}

/** In the child: its ids mean nothing before the maps of its namespace are written. */
export function waitForUsers(): Step[] {
  return [{ kind: "receive", why: "wait until the container has users" }];
}

/** In the child of a bundle with other users, once they are known: mount the root that the keeper has opened. */
export function takeRoot(place: string): Step[] {
  const reason = { why: "give the container its own root file system" };
  const how = flags("MOVE_MOUNT", MOVE_MOUNT, "F_EMPTY_PATH");
  return [
    call("move_mount", [from("root"), str(""), HERE, str(place), num(how.value, how.text)], reason),
    close("root", "close it"),
    standOnRoot(place),
  ];
}

/** Show a tree that is attached nowhere yet through the mapping of its mount, or through that of the container. */
function mapBind(planned: PlannedMount, { because, linux, namespaces }: UserParts): Step[] {
  const { mount, options, reason, tree } = planned;
  const { gidMappings = linux.gidMappings ?? [], uidMappings = linux.uidMappings ?? [] } = mount;
  const slot: Slot = `users.${tree}`;
  const joined = namespaces.joined.find(({ type }) => type === "user");
  const source: Step =
    uidMappings.length === 0 && joined !== undefined
      ? open(
          joined.path,
          slot,
          because("linux.namespaces.user", "show files to the users of that namespace"),
          ["RDONLY"],
        )
      : { kind: "userMap", uids: mapText(uidMappings), gids: mapText(gidMappings), into: slot, ...reason };
  const attributes = struct([u64(MOUNT_ATTR.IDMAP, 0, 0, 0)], `users.${tree}`);
  const how = AT.EMPTY_PATH | (options.recursiveIdmap ? AT.RECURSIVE : 0);
  const hint = "the file system of the source has no idmapped mounts, or the kernel is older than Linux 5.12";
  return [
    source,
    { kind: "store", slot, to: attributes, offset: 24, size: 8, ...reason },
    call(
      "mount_setattr",
      [
        from(tree),
        str(""),
        num(how, options.recursiveIdmap ? "AT_EMPTY_PATH|AT_RECURSIVE" : "AT_EMPTY_PATH"),
        mem(attributes, "MOUNT_ATTR_IDMAP"),
        num(32),
      ],
      { ...reason, hint },
    ),
    close(slot, "close it"),
  ];
}

/** Who the container's root is on the host. */
function rootOf({ uidMappings = [], gidMappings = [] }: Linux): {
  readonly uid: number;
  readonly gid: number;
} {
  const idOf = (mappings: readonly IdMapping[]) => {
    const id = hostId(mappings, 0);
    if (id === undefined) throw new Error("Cannot launch: no range of the container's users has its root");
    return id;
  };
  return { uid: idOf(uidMappings), gid: idOf(gidMappings) };
}

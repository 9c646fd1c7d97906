import { AT, flags, MS, OPEN_TREE } from "../../kernel/flags.ts";
import { call, close, from, num, str } from "../../plan/build.ts";
import type { Step } from "../../plan/step.ts";
import { HERE } from "./files.ts";
import { makeFileSystem, mountCall, type PlannedMount } from "./mounts.ts";
import { attachAt, makeInside, openPlace } from "./place.ts";

/**
 * `tmpcopyup`: a tmpfs that begins with what the image has there. Nothing is copied before it is written to: the image's
 * directory lies below an overlay whose upper directory is on the tmpfs, whose limits therefore hold.
 */
export function copyUp(planned: PlannedMount): Step[] {
  const { mount, options, tree } = planned;
  const { destination } = mount;
  const reason = { ...planned.reason, hint: "tmpcopyup needs an overlay on top of the image's file system" };
  const lower = "copied-up";
  const how = flags("OPEN_TREE", OPEN_TREE, "CLONE", "CLOEXEC");
  const inside = (name: string) => `${destination}/${name}`;
  const mode = /(?:^|,)mode=([0-7]+)/.exec(options.data)?.[1];
  const directory = (name: string, bits: number) =>
    call("mkdirat", [from("copy-root"), str(name), num(bits, bits.toString(8).padStart(4, "0"))], reason);
  const escaped = (name: string) => inside(name).replace(/[\\:,]/g, (character) => `\\${character}`);
  const data = `lowerdir=${escaped("lower")},upperdir=${escaped("upper")},workdir=${escaped("work")}`;
  // Its own places are made before it may be read-only.
  const writable: PlannedMount = { ...planned, options: { ...options, set: options.set & ~1 } };
  return [
    ...makeInside(destination, "directory", reason),
    ...openPlace(destination, "place", reason),
    call(
      "open_tree",
      [from("place"), str(""), num(how.value | AT.EMPTY_PATH, `${how.text}|AT_EMPTY_PATH`)],
      reason,
      { result: lower },
    ),
    ...makeFileSystem(writable),
    call("openat", [from(tree), str("."), num(0x200000 | 0x80000, "O_PATH|O_CLOEXEC"), num(0)], reason, {
      result: "copy-root",
    }),
    directory("lower", 0o755),
    directory("upper", mode === undefined ? 0o755 : Number.parseInt(mode, 8)),
    directory("work", 0o755),
    ...attachAt(tree, "place", reason),
    close("copy-root", "close it"),
    close(tree, "close it"),
    call(
      "move_mount",
      [from(lower), str(""), HERE, str(inside("lower")), num(4, "MOVE_MOUNT_F_EMPTY_PATH")],
      reason,
    ),
    close(lower, "close it"),
    mountCall("overlay", destination, "overlay", options.flags & ~MS.SILENT, options.flagNames, data, reason),
  ];
}

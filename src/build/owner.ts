import * as fs from "node:fs";
import { Refusal } from "../oci/error.ts";
import type { MergedView } from "../storage/merged.ts";

/** `--chown=user[:group]`, names looked up in the image; the user's own group where none is given. */
export function ownerOf(
  text: string | undefined,
  view: MergedView,
): { readonly uid: number; readonly gid: number } {
  if (text === undefined) return { uid: 0, gid: 0 };
  const [user = "", group] = text.split(":");
  const account = /^\d+$/.test(user) ? undefined : find(view, "etc/passwd", user);
  if (account === undefined && !/^\d+$/.test(user))
    throw new Refusal("invalid", `unable to find user ${user}: no matching entries in passwd file`);
  const uid = Number(account?.[2] ?? user);
  if (group === undefined) return { uid, gid: Number(account?.[3] ?? uid) };
  const entry = /^\d+$/.test(group) ? undefined : find(view, "etc/group", group);
  if (entry === undefined && !/^\d+$/.test(group))
    throw new Refusal("invalid", `unable to find group ${group}: no matching entries in group file`);
  return { uid, gid: Number(entry?.[2] ?? group) };
}

function find(view: MergedView, path: string, name: string): string[] | undefined {
  const entry = view.lookup(view.resolve(path));
  if (entry === undefined || !entry.stat.isFile() || entry.stat.size > 4 * 1024 * 1024) return undefined;
  const lines = fs.readFileSync(entry.file, "utf8").split("\n");
  return lines.map((line) => line.split(":")).find(([first]) => first === name);
}

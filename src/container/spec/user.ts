import { Refusal } from "../../oci/error.ts";

/** Who a container's process is. */
export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  /** The group itself first, then the supplementary ones. */
  readonly additionalGids: readonly number[];
  /** `HOME` where the environment does not say. */
  readonly home: string;
}

/** The image's files, as text; absent files are empty. */
export interface UserFiles {
  readonly passwd: string;
  readonly group: string;
}

/** Larger files are no user database. */
const MOST_BYTES = 16 * 1024 * 1024;
const MOST_ID = 2 ** 31 - 1;

interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface Group {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/**
 * Resolves `-u user[:group]` and `--group-add` with the image's `/etc/passwd` and `/etc/group` as Docker does: a
 * number need not be in the files; with a group given, no supplementary groups are taken from the file.
 * Lines that are no account (wrong fields, ids that are no numbers) are passed over.
 * @throws Refusal "unable to find user x: no matching entries in passwd file" and the like
 */
export function resolveUser(spec: string, groupAdd: readonly string[], files: UserFiles): ResolvedUser {
  const colon = spec.indexOf(":");
  const userWord = colon < 0 ? spec : spec.slice(0, colon);
  const groupWord = colon < 0 ? "" : spec.slice(colon + 1);
  const groups = parseGroups(files.group);
  const account = parseAccounts(files.passwd).find(({ name, uid }) =>
    userWord === "" ? uid === 0 : name === userWord || String(uid) === userWord,
  );
  const uid = account?.uid ?? (userWord === "" ? 0 : idOf(userWord, "user", "passwd"));
  const named = groupWord === "" ? undefined : gidOf(groupWord, groups);
  const gid = named ?? account?.gid ?? 0;
  const member = groups.filter(({ members }) => account !== undefined && members.includes(account.name));
  const supplementary = named === undefined ? member.map((group) => group.gid) : [];
  const added = groupAdd.map((word) => gidOf(word, groups));
  return {
    uid,
    gid,
    additionalGids: [...new Set([gid, ...supplementary, ...added])],
    home: account?.home || "/",
  };
}

function gidOf(word: string, groups: readonly Group[]): number {
  const group = groups.find(({ name, gid }) => name === word || String(gid) === word);
  return group?.gid ?? idOf(word, "group", "group");
}

function idOf(word: string, what: "user" | "group", file: "passwd" | "group"): number {
  if (!/^[+-]?\d+$/.test(word)) {
    throw new Refusal("invalid", `unable to find ${what} ${word}: no matching entries in ${file} file`);
  }
  const id = Number(word);
  if (id >= 0 && id <= MOST_ID) return id;
  throw new Refusal("invalid", "uids and gids must be in range 0-2147483647");
}

function parseAccounts(text: string): readonly Account[] {
  return fieldsOf(text, "/etc/passwd").flatMap(([name = "", , uid = "", gid = "", , home = ""]) =>
    name !== "" && isId(uid) && isId(gid) ? [{ name, uid: Number(uid), gid: Number(gid), home }] : [],
  );
}

function parseGroups(text: string): readonly Group[] {
  return fieldsOf(text, "/etc/group").flatMap(([name = "", , gid = "", members = ""]) =>
    name !== "" && isId(gid) ? [{ name, gid: Number(gid), members: members.split(",") }] : [],
  );
}

function fieldsOf(text: string, path: string): readonly (readonly string[])[] {
  if (text.length > MOST_BYTES) {
    throw new Refusal("invalid", `Cannot read ${path} of the image: it is larger than ${MOST_BYTES} bytes`);
  }
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(":"));
}

function isId(text: string): boolean {
  return /^\d{1,10}$/.test(text) && Number(text) <= MOST_ID;
}

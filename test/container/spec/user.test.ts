import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveUser } from "../../../src/container/spec/user.ts";
import { GROUP, PASSWD } from "./facts.ts";

const FILES = { passwd: PASSWD, group: GROUP };

for (const [spec, groupAdd, uid, gid, additionalGids, home] of [
  ["", [], 0, 0, [0, 29], "/root"],
  ["root", [], 0, 0, [0, 29], "/root"],
  ["app", [], 1000, 1001, [1001, 29, 44], "/home/app"],
  ["1000", [], 1000, 1001, [1001, 29, 44], "/home/app"],
  ["app:audio", [], 1000, 29, [29], "/home/app"],
  ["app:", [], 1000, 1001, [1001, 29, 44], "/home/app"],
  ["1234", [], 1234, 0, [0], "/"],
  ["1234:29", ["video", "777", "29"], 1234, 29, [29, 44, 777], "/"],
  ["nobody:5", [], 65534, 5, [5], "/"],
  [":44", [], 0, 44, [44], "/root"],
] as const) {
  test(`-u "${spec}" with groups ${JSON.stringify(groupAdd)}`, () => {
    assert.deepEqual(resolveUser(spec, groupAdd, FILES), { uid, gid, additionalGids, home });
  });
}

for (const [spec, groupAdd, message] of [
  ["nope", [], "unable to find user nope: no matching entries in passwd file"],
  ["root:nope", [], "unable to find group nope: no matching entries in group file"],
  ["", ["nope"], "unable to find group nope: no matching entries in group file"],
  ["4294967295", [], "uids and gids must be in range 0-2147483647"],
  ["-1", [], "uids and gids must be in range 0-2147483647"],
  ["", ["99999999999"], "uids and gids must be in range 0-2147483647"],
] as const) {
  test(`-u "${spec}" with groups ${JSON.stringify(groupAdd)} is refused as Docker refuses it`, () => {
    assert.throws(() => resolveUser(spec, groupAdd, FILES), { name: "Refusal", kind: "invalid", message });
  });
}

test("an image without the files has numbers only", () => {
  const user = resolveUser("", [], { passwd: "", group: "" });
  assert.deepEqual(user, { uid: 0, gid: 0, additionalGids: [0], home: "/" });
  assert.throws(() => resolveUser("root", [], { passwd: "", group: "" }), /unable to find user root/);
});

test("hostile lines are no accounts: nobody becomes root by a uid that is no number", () => {
  const passwd = "a:x:zero:0::/:\nb:x::::\n::0:0::/:\nc:x:-1:0::/:\nd:x:99999999999:0::/:\n+::::::\ne\n:\n";
  for (const name of "abcde+") {
    assert.throws(() => resolveUser(name, [], { passwd, group: "" }), /unable to find user/, name);
  }
});

test("a file too large for a user database is refused", () => {
  const passwd = "x".repeat(17 * 1024 * 1024);
  assert.throws(() => resolveUser("", [], { passwd, group: "" }), /Cannot read \/etc\/passwd of the image/);
});

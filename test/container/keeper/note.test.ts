import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  giveUp,
  readNote,
  removeNote,
  type StartNote,
  writeNote,
} from "../../../src/container/keeper/note.ts";
import { notePath, unclaimedNotePath } from "../../../src/container/launch/session.ts";

// Who gets a start that an engine was killed in: its program, or the next engine. Safe beside other test files.

const directory = mkdtempSync(join(tmpdir(), "cais-note-"));
after(() => rmSync(directory, { recursive: true, force: true }));

const note: StartNote = {
  token: "00",
  terminal: false,
  stdin: false,
  ownPids: true,
  ownUsers: false,
  ownTime: false,
  cgroup: "/cais/x",
  cgroupDirectories: [],
};

test("a start that is given up cannot be claimed any more", () => {
  const runDir = join(directory, "given-up");
  writeNote(runDir, note);
  assert.deepEqual(readNote(runDir), note);
  assert.equal(giveUp(runDir), true);
  // What the launch program does first.
  assert.throws(() => renameSync(unclaimedNotePath(runDir), notePath(runDir)), { code: "ENOENT" });
  assert.equal(readNote(runDir), null);
});

test("a start that is claimed cannot be given up any more", () => {
  const runDir = join(directory, "claimed");
  writeNote(runDir, note);
  renameSync(unclaimedNotePath(runDir), notePath(runDir));
  assert.equal(giveUp(runDir), false);
  assert.deepEqual(readNote(runDir), note);
});

test("a note is removed, claimed or not", () => {
  for (const claimed of [false, true]) {
    const runDir = join(directory, `removed-${claimed}`);
    writeNote(runDir, note);
    if (claimed) renameSync(unclaimedNotePath(runDir), notePath(runDir));
    removeNote(runDir);
    removeNote(runDir);
    assert.equal(readNote(runDir), null);
  }
  assert.deepEqual(
    readdirSync(directory).filter((name) => name.startsWith("removed")),
    [],
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { keyBytes, keyFilter } from "../../src/cli/session/keys.ts";

const bytes = (text: string) => Buffer.from(text, "latin1");

test("detach keys are read as Docker writes them", () => {
  assert.deepEqual([...keyBytes("ctrl-p,ctrl-q")], [0x10, 0x11]);
  assert.deepEqual([...keyBytes("ctrl-a,d")], [1, 0x64]);
  assert.deepEqual([...keyBytes("ctrl-@,ctrl-[,ctrl-_")], [0, 0x1b, 0x1f]);
  for (const wrong of ["", "ctrl-", "ab", "ctrl-1", "é"])
    assert.throws(() => keyBytes(wrong), { exitCode: 125 });
});

test("the sequence is found across reads, and keys that only begin it are sent on", () => {
  const typed = (...reads: readonly string[]) => {
    const filter = keyFilter(keyBytes("ctrl-p,ctrl-q"));
    let sent = "";
    for (const read of reads) {
      const { bytes: kept, detached } = filter(bytes(read));
      sent += Buffer.from(kept).toString("latin1");
      if (detached) return `${sent}!`;
    }
    return sent;
  };
  assert.equal(typed("ab\x10\x11c"), "ab!");
  assert.equal(typed("a\x10", "\x11"), "a!");
  assert.equal(typed("a\x10", "b"), "a\x10b");
  assert.equal(typed("\x10\x10", "\x11"), "\x10!");
  assert.equal(typed("\x10"), "");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { glob } from "../../src/oci/glob.ts";
import { linearRegexp } from "../../src/oci/regexp.ts";
import { random } from "../support/random.ts";

test("patterns mean what they mean to JavaScript", () => {
  const seeded = random(7);
  const next = (limit: number) => Math.floor(seeded() * limit);
  const atoms = [
    "a",
    "b",
    "-",
    ".",
    "[ab]",
    "[^a]",
    "[a-c]",
    "\\d",
    "\\w",
    "(?:ab|b)",
    "(a)",
    "\\.",
    "x",
    "\\b",
  ];
  const repeats = ["", "", "", "*", "+", "?", "{2}", "{1,2}", "{0,}", "*?"];
  const text = () => Array.from({ length: next(7) }, () => "abcx-.1_"[next(8)]).join("");
  for (let round = 0; round < 4000; round++) {
    const parts = Array.from({ length: 1 + next(4) }, () => {
      const atom = atoms[next(atoms.length)]!;
      return atom === "\\b" ? atom : atom + repeats[next(repeats.length)]!;
    });
    if (next(4) === 0) parts.splice(next(parts.length), 0, "|");
    const pattern = `${next(3) === 0 ? "^" : ""}${parts.join("")}${next(3) === 0 ? "$" : ""}`;
    const ours = linearRegexp(pattern);
    const theirs = new RegExp(pattern);
    for (let tries = 0; tries < 6; tries++) {
      const subject = text();
      assert.equal(ours.test(subject), theirs.test(subject), `${pattern} on ${JSON.stringify(subject)}`);
    }
  }
});

test("what is malformed, or only backtracking can do, is refused", () => {
  for (const pattern of [
    "(",
    ")",
    "a**",
    "*",
    "[",
    "[z-a]",
    "(?=a)",
    "(a)\\1",
    "a{2,1}",
    "a{1001}",
    "\\",
    "\\q",
  ])
    assert.throws(() => linearRegexp(pattern), /error parsing regexp/, pattern);
  assert.throws(() => linearRegexp("((((a{9}){9}){9}){9}){9}"), /repeats/);
  assert.throws(() => linearRegexp("(".repeat(5000)), /nests too deeply/);
});

test("no pattern and no glob is slow", () => {
  const text = `${"a".repeat(200)}!`;
  const begun = performance.now();
  for (const pattern of ["^(a+)+$", "^(((((a*)*)*)*)*)*b$", "(a|aa)+$", "^(a|a?)+b$", "(.*)(.*)(.*)(.*)x"])
    assert.equal(linearRegexp(pattern).test(text), false, pattern);
  assert.equal(glob(`${"*a".repeat(40)}b`, "a".repeat(250)), false);
  assert.equal(glob(`${"*a".repeat(40)}*`, "a".repeat(250)), true);
  assert.ok(performance.now() - begun < 2000);
});

test("globs are Go's", () => {
  for (const [pattern, text, matches] of [
    ["*.go", "a.go", true],
    ["*.go", "d/a.go", false],
    ["d/*", "d/a", true],
    ["a?c", "abc", true],
    ["a?c", "a/c", false],
    ["[a-c]x", "bx", true],
    ["[^a]x", "ax", false],
    ["\\*", "*", true],
    ["a[", "a[", false],
    ["*b*d", "abcd", true],
    ["*", "", true],
    ["é*", "été", true],
  ] as const)
    assert.equal(glob(pattern, text), matches, `${pattern} on ${text}`);
});

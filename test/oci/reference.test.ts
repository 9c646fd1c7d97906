// Safe beside other test files.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { canonical, familiar, parseReference, withDefaultTag } from "../../src/oci/reference.ts";

describe("image references", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const cases: readonly (readonly [string, string, string])[] = [
    ["debian", "docker.io/library/debian", "debian"],
    ["debian:12", "docker.io/library/debian:12", "debian:12"],
    ["docker.io/debian", "docker.io/library/debian", "debian"],
    ["index.docker.io/library/debian:12", "docker.io/library/debian:12", "debian:12"],
    ["someone/thing", "docker.io/someone/thing", "someone/thing"],
    ["localhost/thing:1", "localhost/thing:1", "localhost/thing:1"],
    ["host:5000/a/b__c:T-1.x", "host:5000/a/b__c:T-1.x", "host:5000/a/b__c:T-1.x"],
    ["[::1]:5000/a", "[::1]:5000/a", "[::1]:5000/a"],
    [`debian@${digest}`, `docker.io/library/debian@${digest}`, `debian@${digest}`],
    [`debian:12@${digest}`, `docker.io/library/debian:12@${digest}`, `debian:12@${digest}`],
    ["Example/thing", "Example/thing", "Example/thing"],
  ];
  for (const [text, whole, short] of cases) {
    it(`reads ${text.slice(0, 40)}`, () => {
      const reference = parseReference(text);
      assert.equal(canonical(reference), whole);
      assert.equal(familiar(reference), short);
    });
  }

  it("adds the tag latest where nothing is said", () => {
    assert.equal(canonical(withDefaultTag(parseReference("debian"))), "docker.io/library/debian:latest");
    const pinned = parseReference(`debian@${digest}`);
    assert.equal(withDefaultTag(pinned), pinned);
  });

  const bad = [
    "",
    " ",
    "a b",
    "a:",
    ":a",
    "a/",
    "/a",
    "a//b",
    "-a",
    "a..b",
    "a@sha256:12",
    "a:b:c",
    "../a",
    "a\n",
    "é",
    "x".repeat(2000),
  ];
  for (const text of bad) {
    it(`refuses ${JSON.stringify(text.slice(0, 20))}`, () => {
      assert.throws(() => parseReference(text), /invalid reference format/);
    });
  }

  it("says what is wrong with upper case and with ids", () => {
    assert.throws(() => parseReference("Debian"), {
      message: "invalid reference format: repository name (library/Debian) must be lowercase",
    });
    assert.throws(() => parseReference("a".repeat(64)), /cannot specify 64-byte hexadecimal strings/);
    assert.throws(() => parseReference(`${"a/".repeat(127)}abc`), /must not be more than 255 characters/);
  });
});

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { hostArch, syscallNumber } from "../../src/kernel/arch.ts";
import { busyboxMissing } from "../support/fixtures.ts";
import { needs, program, root } from "../support/skip.ts";
import { makeScene } from "./scene.ts";

const possible = needs(root(), busyboxMissing(), program("perl", "perl-base"));

/** In a session keyring with one key that only its possessors may see (linux/keyctl.h), run the words after it. */
const WITH_KEY = `
my ($keyctl, $add_key) = (shift, shift);
syscall($keyctl, 1, 0) >= 0 or die "join: $!";
my $key = syscall($add_key, my $type = "user", my $name = "cais-secret", my $text = "x", 1, -3);
$key >= 0 or die "add: $!";
syscall($keyctl, 5, $key, 0x3f000000) >= 0 or die "permit: $!";
exec @ARGV or die "exec: $!";
`;

test("the caller's session keyring is not the container's, unless that is asked for", possible, async () => {
  await using scene = makeScene();
  const { cais } = scene;
  const numbers = (["keyctl", "add_key"] as const).map((name) => String(syscallNumber(hostArch(), name)));
  const withKey = (...words: readonly string[]) => {
    const line = ["-e", WITH_KEY, ...numbers, scene.program, "--root", cais.root, ...words];
    const { status, stderr, stdout } = spawnSync("perl", line, { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    return stdout.includes("cais-secret");
  };
  // What is masked by default tells which keys a process may see.
  const linux = { maskedPaths: [] };
  const looks = scene.bundle("looks", { args: ["cat", "/proc/keys"], linux });
  assert.equal(withKey("run", "--bundle", looks, "looks"), false);
  assert.equal(withKey("run", "--no-new-keyring", "--bundle", looks, "looks"), true);
  await cais.ok(["run", "--detach", "--bundle", scene.bundle("own", { linux }), "own"]);
  assert.equal(withKey("exec", "own", "cat", "/proc/keys"), false);
  await cais.ok(["run", "--detach", "--no-new-keyring", "--bundle", scene.bundle("same", { linux }), "same"]);
  assert.equal(withKey("exec", "same", "cat", "/proc/keys"), true);
});

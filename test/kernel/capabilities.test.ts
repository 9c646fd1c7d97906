import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  CAPABILITIES,
  capabilitiesUpTo,
  capabilityMask,
  capabilityName,
  ownCapabilities,
  readLastCapability,
} from "../../src/kernel/capabilities.ts";
import { RLIMITS, rlimitName, rlimitValue } from "../../src/kernel/rlimits.ts";

test("names in any case, with and without CAP_", () => {
  for (const word of ["CAP_SYS_ADMIN", "sys_admin", "cap_sys_admin"]) {
    assert.equal(capabilityName(word), "CAP_SYS_ADMIN");
  }
  for (const word of ["", "ALL", "CAP_", "SYS-ADMIN", "constructor"])
    assert.equal(capabilityName(word), undefined);
});

test("this process has what the kernel says, and no more than there is", () => {
  const own = ownCapabilities();
  const line = /^CapPrm:\s*(\w+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  assert.equal(capabilityMask(own), BigInt(`0x${line}`));
  assert.ok(own.every((name) => CAPABILITIES[name] <= readLastCapability()));
  assert.equal(capabilitiesUpTo(readLastCapability()).length, readLastCapability() + 1);
});

test("numbers are those capsh knows", (t) => {
  const { stdout, error } = spawnSync("capsh", ["--decode=000001ffffffffff"], { encoding: "utf8" });
  if (error) return t.skip("no capsh");
  const names = stdout.trim().split("=")[1]?.toUpperCase().split(",");
  assert.deepEqual(names, capabilitiesUpTo(40));
});

test("limits by name, unlimited by -1 and by what JSON makes of 2^64-1", () => {
  assert.equal(rlimitName("nofile"), "RLIMIT_NOFILE");
  assert.equal(RLIMITS.RLIMIT_NOFILE, 7);
  assert.equal(rlimitName("foo"), undefined);
  assert.equal(rlimitValue(-1), 2n ** 64n - 1n);
  assert.equal(rlimitValue(JSON.parse("18446744073709551615")), 2n ** 64n - 1n);
  assert.equal(rlimitValue(1024), 1024n);
});

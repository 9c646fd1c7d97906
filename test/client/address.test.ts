import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddress } from "../../src/client/address.ts";
import { queryText } from "../../src/client/request.ts";

test("addresses of an engine", () => {
  assert.deepEqual(parseAddress("unix:///run/x.sock"), { kind: "unix", path: "/run/x.sock" });
  assert.deepEqual(parseAddress("/run/x.sock"), { kind: "unix", path: "/run/x.sock" });
  assert.deepEqual(parseAddress("tcp://h:99"), { kind: "tcp", host: "h", port: 99 });
  assert.deepEqual(parseAddress("tcp://[::1]:99"), { kind: "tcp", host: "[::1]", port: 99 });
  assert.deepEqual(parseAddress("h"), { kind: "tcp", host: "h", port: 2375 });
  for (const wrong of ["unix://rel", "tcp://h:0", "tcp://h:65536", "ftp://x/y", `unix:///${"x".repeat(107)}`])
    assert.throws(() => parseAddress(wrong), /^Error: Cannot/);
});

test("queries leave out what says nothing", () => {
  assert.equal(
    queryText({ a: undefined, b: false, c: true, d: 0, e: "", f: "x&y", g: ["1", "2"] }),
    "?c=1&d=0&e=&f=x%26y&g=1&g=2",
  );
  assert.equal(queryText({}), "");
});

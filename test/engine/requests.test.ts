import assert from "node:assert/strict";
import { test } from "node:test";
import { createRequest, execRequest, updateRequest, volumeRequest } from "../../src/engine/requests.ts";
import { Refusal } from "../../src/oci/error.ts";

test("one string stands for a list of one, as Docker takes it", () => {
  const request = createRequest({ Image: "x", Cmd: "ls", Entrypoint: "/bin/env", Env: null });
  assert.deepEqual(request.Cmd, ["ls"]);
  assert.deepEqual(request.Entrypoint, ["/bin/env"]);
  assert.equal(createRequest({ Image: "x" }).Cmd, undefined);
});

test("what is of the wrong kind is refused by name, however deep", () => {
  const refused = (doing: () => unknown, sentence: RegExp) =>
    assert.throws(
      doing,
      (error) => error instanceof Refusal && error.kind === "invalid" && sentence.test(error.message),
    );
  refused(() => createRequest({ Cmd: 7 }), /Cmd must be a list/);
  refused(() => createRequest({ Cmd: ["a", 7] }), /Cmd\[1\] must be a string/);
  refused(() => createRequest({ Env: "A=1" }), /Env must be a list/);
  refused(
    () => createRequest({ Healthcheck: { Interval: "1s" } }),
    /Healthcheck.Interval must be a whole number/,
  );
  refused(() => createRequest({ HostConfig: { Ulimits: [{ Soft: "1" }] } }), /HostConfig.Ulimits\[0\].Soft/);
  refused(() => createRequest({ HostConfig: [] }), /HostConfig must be an object/);
  refused(() => createRequest({ NetworkingConfig: [] }), /NetworkingConfig must be an object/);
  refused(() => updateRequest({ Memory: "1g" }), /Memory must be a whole number/);
  refused(() => execRequest({ Cmd: "ls" }), /Cmd must be a list/);
  refused(() => execRequest({ ConsoleSize: ["1"] }), /ConsoleSize\[0\] must be a whole number/);
  refused(() => volumeRequest({ Labels: { a: 1 } }), /Labels.a must be a string/);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { mergeImageConfig } from "../../../src/container/spec/merge.ts";

const IMAGE = {
  User: "app",
  Env: ["PATH=/image", "A=image"],
  Entrypoint: ["/entry"],
  Cmd: ["default"],
  WorkingDir: "/srv",
  Labels: { a: "image", b: "image" },
  ExposedPorts: { "80/tcp": {} },
  Volumes: { "/data": {} },
  StopSignal: "SIGQUIT",
  Healthcheck: { Test: ["CMD", "true"], Interval: 5e9 },
};

test("what is not asked for is the image's", () => {
  const merged = mergeImageConfig(IMAGE, { Image: "x" });
  assert.deepEqual(merged, { ...IMAGE, Image: "x" });
});

test("what is asked for wins; maps and variables are joined", () => {
  const merged = mergeImageConfig(IMAGE, {
    User: "root",
    Env: ["A=mine", "B=mine"],
    Cmd: ["other"],
    Labels: { a: "mine" },
    ExposedPorts: { "81/tcp": {} },
    Healthcheck: { Interval: 7e9, Test: [] },
  });
  assert.equal(merged.User, "root");
  assert.deepEqual(merged.Env, ["A=mine", "B=mine", "PATH=/image"]);
  assert.deepEqual([merged.Entrypoint, merged.Cmd], [["/entry"], ["other"]]);
  assert.deepEqual(merged.Labels, { a: "mine", b: "image" });
  assert.deepEqual(Object.keys(merged.ExposedPorts ?? {}), ["80/tcp", "81/tcp"]);
  assert.deepEqual(merged.Healthcheck, { Test: ["CMD", "true"], Interval: 7e9 });
});

test("nothing asked for and nothing in the image is nothing, not an empty set", () => {
  const merged = mergeImageConfig({}, { Volumes: {}, ExposedPorts: {} });
  assert.deepEqual([merged.Volumes, merged.ExposedPorts], [undefined, undefined]);
  assert.deepEqual(mergeImageConfig(IMAGE, { Volumes: {} }).Volumes, IMAGE.Volumes);
});

test("an entrypoint of one's own leaves the image's command behind, an empty one both", () => {
  const mine = mergeImageConfig(IMAGE, { Entrypoint: ["/mine"] });
  assert.deepEqual([mine.Entrypoint, mine.Cmd], [["/mine"], null]);
  const none = mergeImageConfig(IMAGE, { Entrypoint: [""], Cmd: ["sh"] });
  assert.deepEqual([none.Entrypoint, none.Cmd], [null, ["sh"]]);
});

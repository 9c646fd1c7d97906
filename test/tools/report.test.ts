// Safe beside other test files
import assert from "node:assert/strict";
import { test } from "node:test";
import { median, medians } from "../../tools/bench/sample.ts";
import { parseJunit } from "../../tools/test/junit.ts";

test("a JUnit report is read: results, groups, names with entities", () => {
  const xml = `<testsuites><testsuite name="a"><testcase name="fine &amp; &quot;good&quot;" classname="" line="3" />
    <testcase name="bad" classname="group" line="9"><failure message="x">text</failure></testcase>
    <testcase name="not here" classname="" line="12"><skipped /></testcase></testsuite></testsuites>`;
  assert.deepEqual(parseJunit(xml), [
    { name: 'fine & "good"', line: 3, result: "passed" },
    { name: "group > bad", line: 9, result: "failed" },
    { name: "not here", line: 12, result: "skipped" },
  ]);
});

test("the median is the middle, or the mean of the two in the middle", () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([1, 2, 3, 10]), 2.5);
  assert.equal(median([7]), 7);
});

test("contenders take turns, and the first rounds are not counted", async () => {
  const turns: string[] = [];
  const contender = (name: string, warm: number, cold: number) => ({
    name,
    once: (run: number) => {
      turns.push(name);
      return run < 3 ? cold : warm;
    },
  });
  const found = await medians([contender("a", 1, 100), contender("b", 2, 200)], 2);
  assert.deepEqual(turns.slice(0, 4), ["a", "b", "a", "b"]);
  assert.deepEqual(
    [...found],
    [
      ["a", 1],
      ["b", 2],
    ],
  );
});

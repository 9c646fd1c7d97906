import assert from "node:assert/strict";
import { test } from "node:test";
import { readJson } from "../../src/api/json.ts";

const read = (text: string) => readJson(Buffer.from(text));

test("what is wrong with JSON is said in the words of Docker's own parser", () => {
  for (const [text, wrong] of Object.entries({
    "{invalid json": "invalid character 'i' looking for beginning of object key string",
    '{"a":1,}': "invalid character '}' looking for beginning of object key string",
    "{,}": "invalid character ',' looking for beginning of object key string",
    "[1,]": "invalid character ']' looking for beginning of value",
    "'x'": "invalid character '\\'' looking for beginning of value",
    '{"a" 1}': "invalid character '1' after object key",
    '{"a":1 "b":2}': "invalid character '\"' after object key:value pair",
    '{"a":01}': "invalid character '1' after object key:value pair",
    "[1 2]": "invalid character '2' after array element",
    '{"a":tru}': "invalid character '}' in literal true (expecting 'e')",
    '{"a":nul}': "invalid character '}' in literal null (expecting 'l')",
    '{"a":"\\x"}': "invalid character 'x' in string escape code",
    '{"a":"\\u12"}': "invalid character '\"' in \\u hexadecimal character escape",
    '{"a":"\n"}': "invalid character '\\n' in string literal",
    '{"a":-}': "invalid character '}' in numeric literal",
    '{"a":1.}': "invalid character '}' after decimal point in numeric literal",
    '{"a":1e}': "invalid character '}' in exponent of numeric literal",
    "\ufeff{}": "invalid character 'ï' looking for beginning of value",
    "{": "unexpected EOF",
    '{"a":[{"b":"c': "unexpected EOF",
    nu: "unexpected EOF",
    [`${"[".repeat(20_000)}x`]: "exceeded max depth",
  }))
    assert.deepEqual(read(text), { wrong }, text.slice(0, 40));
});

test("what comes after a value is told apart from it", () => {
  assert.deepEqual(read(' {"a":[1,{"b":"ü"}]}\n'), { value: { a: [1, { b: "ü" }] }, rest: "" });
  assert.deepEqual(read('{"a":"ü"} trailing'), { value: { a: "ü" }, rest: "trailing" });
  assert.deepEqual(read("{}}"), { value: {}, rest: "}" });
});

test("megabytes that are wrong at their end are read once", () => {
  const begun = performance.now();
  assert.ok("wrong" in read(`[${'{"a":"b","c":1.5,"d":[true]},'.repeat(120_000)}`));
  assert.ok(performance.now() - begun < 5000);
});

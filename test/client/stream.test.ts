import assert from "node:assert/strict";
import { test } from "node:test";
import { demultiplex, jsonLines, type Source } from "../../src/client/stream.ts";

function frame(channel: number, text: string): Buffer {
  const body = Buffer.from(text);
  const head = Buffer.alloc(8);
  head[0] = channel;
  head.writeUInt32BE(body.length, 4);
  return Buffer.concat([head, body]);
}

/** A source that hands out `bytes` in chunks of `size`. */
function chunked(bytes: Buffer, size: number): Source {
  let at = 0;
  return async () => {
    if (at >= bytes.length) return null;
    at += size;
    return bytes.subarray(at - size, at);
  };
}

async function collect(source: Source): Promise<Record<number, string>> {
  const found: Record<number, string> = {};
  for await (const { channel, bytes } of demultiplex(source))
    found[channel] = (found[channel] ?? "") + Buffer.from(bytes).toString("latin1");
  return found;
}

test("frames come apart wherever the chunks are cut", async () => {
  const all = Buffer.concat([
    frame(1, "out"),
    frame(2, "err"),
    frame(1, ""),
    frame(0, "in"),
    frame(3, "sys"),
    frame(1, "x".repeat(1000)),
  ]);
  for (const size of [1, 2, 3, 7, 8, 9, 500, 100000])
    assert.deepEqual(await collect(chunked(all, size)), {
      1: `outin${"x".repeat(1000)}`,
      2: "err",
      3: "sys",
    });
});

test("what is no such stream, or ends in the middle, is refused", async () => {
  await assert.rejects(collect(chunked(Buffer.from("HTTP/1.1 200"), 100)), /unrecognized stream: 72/);
  await assert.rejects(collect(chunked(frame(1, "abc").subarray(0, 10), 100)), /ended in the middle/);
  await assert.rejects(collect(chunked(frame(1, "abc").subarray(0, 5), 100)), /ended in the middle/);
});

test("JSON values come one a line, cut anywhere, in any alphabet", async () => {
  const text = Buffer.from('{"a":"é"}\n\n{"a":2}\r\n{"a":3}');
  for (const size of [1, 2, 5, 100]) {
    const found: unknown[] = [];
    for await (const value of jsonLines<{ a: unknown }>(chunked(text, size))) found.push(value.a);
    assert.deepEqual(found, ["é", 2, 3]);
  }
});

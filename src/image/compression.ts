import { pipeline, Readable, type Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { XzReadableStream } from "xz-decompress";
import { Refusal } from "../oci/error.ts";
import type { Bytes } from "../storage/driver.ts";
import { bunzip2 } from "./bzip2.ts";
import { peek } from "./stream.ts";

export type Compression = "none" | "gzip" | "xz" | "zstd" | "bzip2";

/** The first bytes of each format (their specifications: RFC 1952, xz-file-format.txt, RFC 8878, bzip2). */
const MAGIC: readonly (readonly [Compression, readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["bzip2", [0x42, 0x5a, 0x68]],
];

/** The decompressed stream, whatever the stream was compressed with, and what that was. */
export async function decompressed(
  source: Bytes,
): Promise<{ readonly stream: Bytes; readonly compression: Compression }> {
  const { compression, stream } = await sniffed(source);
  return { stream: decompress(stream, compression), compression };
}

/** What a stream is compressed with, by its first bytes, and the stream as it was. */
export async function sniffed(
  source: Bytes,
): Promise<{ readonly stream: Bytes; readonly compression: Compression }> {
  const { head, stream } = await peek(source, 6);
  const found = MAGIC.find(([, magic]) => magic.every((byte, i) => head[i] === byte));
  const skippable = head.length >= 4 && (head[0]! & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d;
  const compression = found?.[0] ?? (skippable && head[3] === 0x18 ? "zstd" : "none");
  return { stream, compression };
}

/** Decompresses what is known to be compressed so; damaged data is refused as it is met. */
export function decompress(source: Bytes, compression: Compression): Bytes {
  switch (compression) {
    case "none":
      return source;
    case "gzip":
      return through(source, createGunzip({ chunkSize: 256 * 1024 }), "gzip");
    case "zstd":
      return through(source, createZstdDecompress({ chunkSize: 256 * 1024 }), "zstd");
    case "xz":
      return unxz(source);
    case "bzip2":
      return bunzip2(source);
  }
}

async function* through(source: Bytes, transform: Transform, format: string): AsyncGenerator<Uint8Array> {
  const { stream, failure } = guarded(source);
  pipeline(Readable.from(stream, { objectMode: false, highWaterMark: 256 * 1024 }), transform, () => {});
  try {
    yield* transform as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw failure() ?? damaged(format, error);
  }
}

async function* unxz(source: Bytes): AsyncGenerator<Uint8Array> {
  const { stream, failure } = guarded(source);
  const reader = new XzReadableStream(webStream(stream)).getReader();
  let done = false;
  try {
    for (;;) {
      const next = await reader.read();
      done = next.done;
      if (next.done) return;
      yield next.value;
    }
  } catch (error) {
    throw failure() ?? damaged("xz", error);
  } finally {
    if (!done) await reader.cancel().catch(() => {});
  }
}

function webStream(source: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await source.next();
      if (next.done === true) controller.close();
      else controller.enqueue(next.value);
    },
    async cancel() {
      await source.return(undefined);
    },
  });
}

/** Remembers an error of the source itself, so that it is not taken for damaged data. */
function guarded(source: Bytes): { readonly stream: AsyncGenerator<Uint8Array>; failure(): unknown } {
  let failure: unknown;
  async function* stream(): AsyncGenerator<Uint8Array> {
    try {
      yield* source;
    } catch (error) {
      failure = error;
      throw error;
    }
  }
  return { stream: stream(), failure: () => failure };
}

function damaged(format: string, error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new Refusal(
    "invalid",
    `Cannot read the archive: its ${format} data is damaged or truncated (${why})`,
  );
}

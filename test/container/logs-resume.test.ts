import assert from "node:assert/strict";
import { existsSync, mkdtempSync, renameSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import type { Position, StreamName } from "../../src/container/launcher.ts";
import { readLog } from "../../src/container/logs/reader.ts";
import { type LogWriter, logWriter } from "../../src/container/logs/writer.ts";
import { random } from "../support/random.ts";

// A log whose engine is killed, again and again: each message is in it once, whatever the moment was.

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cais-resume-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const STREAMS = ["stdout", "stderr"] as const;

/** What a stream says: equal lines, empty and long ones, bytes that are no text, no newline at the end. */
function speech(next: () => number, lines: number): Buffer {
  const parts = Array.from({ length: lines }, (_, index) => {
    const kind = next();
    if (kind < 0.1) return "\n";
    if (kind < 0.3) return "the same\n";
    if (kind < 0.4) return `${'"\\é'.repeat(next() * 12_000)}\n`;
    if (kind < 0.5) return Buffer.from([0xff, 0x80 + index, 10]);
    return `line ${index}\n`;
  });
  return Buffer.concat([...parts, "the end"].map((part) => Buffer.from(part)));
}

/** The engine dies here. */
class Crash extends Error {}

/** What is on disk and outlives an engine: positions as the spools note them. */
type Notes = Map<StreamName, { offset: number; position: Position }>;

/** One engine's life: it takes up what is there, writes until it dies or all is said, and returns whether that was so. */
function live(
  path: string,
  limits: { maxSize: number; maxFile: number },
  said: Said,
  next: () => number,
): boolean {
  const errors: unknown[] = [];
  const log = logWriter(path, limits, (error) => errors.push(error));
  const offsets = new Map<StreamName, number>(STREAMS.map((name) => [name, 0]));
  const note = (stream: StreamName) => {
    const position = log.position(stream);
    said.notes.set(stream, { offset: offsets.get(stream)! - position.held, position });
  };
  const known = STREAMS.flatMap((stream) => {
    const noted = said.notes.get(stream);
    return noted ? [{ stream, ...noted }] : [];
  });
  const resumed = known.map(({ offset, position, stream }) => ({
    ...position,
    stream,
    bytes: said.text[stream].subarray(offset),
  }));
  for (const [index, length] of log.resume(resumed).entries())
    offsets.set(known[index]!.stream, known[index]!.offset + length);
  const dies = 1 + Math.floor(next() * 30);
  let rotations = 0;
  log.moving = () => {
    for (const stream of said.notes.keys()) {
      // Notes are written one after the other: the engine may die in between.
      if (next() < 0.02) throw new Crash();
      note(stream);
    }
    if (++rotations % 3 === 0 && next() < 0.3) throw cutShort(path, limits.maxFile, next);
  };
  for (let step = 0; step < dies; step++) {
    const open = STREAMS.filter((stream) => offsets.get(stream)! < said.text[stream].length);
    const stream = open[Math.floor(next() * open.length)];
    if (stream === undefined) {
      log.end();
      return !errors.some((error) => error instanceof Crash);
    }
    if (!said.notes.has(stream)) note(stream);
    const at = offsets.get(stream)!;
    const chunk = said.text[stream].subarray(at, at + 1 + Math.floor(next() * 40_000));
    offsets.set(stream, at + chunk.length);
    log.write(stream, chunk);
    if (errors.some((error) => error instanceof Crash)) return false;
    if (next() < 0.7) note(stream);
  }
  tear(path, said.notes, next);
  void (log satisfies LogWriter);
  return false;
}

interface Said {
  readonly text: Readonly<Record<StreamName, Buffer>>;
  readonly notes: Notes;
}

/** A rotation of which only a part was done. */
function cutShort(path: string, maxFile: number, next: () => number): Crash {
  const names = Array.from({ length: maxFile }, (_, age) => (age === 0 ? path : `${path}.${age}`));
  let gap = names.findIndex((name) => !existsSync(name));
  if (gap < 0) {
    gap = maxFile - 1;
    rmSync(names[gap]!);
  }
  for (let moves = Math.floor(next() * (gap + 1)); moves > 0 && gap > 0; moves--, gap--)
    renameSync(names[gap - 1]!, names[gap]!);
  return new Crash();
}

/** The last write did not get to its end. */
function tear(path: string, notes: Notes, next: () => number): void {
  if (!existsSync(path)) return;
  const { ino, size } = statSync(path);
  const safe = Math.max(
    0,
    ...[...notes.values()]
      .filter(({ position }) => position.inode === ino)
      .map(({ position }) => position.size),
  );
  if (size > safe && next() < 0.5) truncateSync(path, safe + Math.floor(next() * (size - safe)));
}

async function messages(path: string, maxFile: number): Promise<Record<StreamName, string[]>> {
  const found: Record<StreamName, string[]> = { stdout: [], stderr: [] };
  for await (const entries of readLog(path, maxFile, null, { tail: null, follow: false }))
    for (const { log, stream } of entries) found[stream].push(log);
  return found;
}

for (const [maxSize, maxFile] of [
  [1 << 30, 1],
  [30_000, 1],
  [30_000, 2],
  [60_000, 4],
  [30_000, 500],
] as const) {
  test(`nothing is lost and nothing comes twice: ${maxFile} files of ${maxSize} bytes`, async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const next = random(seed * 7919 + maxFile);
      const text = { stdout: speech(next, 120), stderr: speech(next, 40) };
      const once = logWriter(join(folder, `once-${seed}`), { maxSize: 1 << 30, maxFile: 1 }, () => undefined);
      for (const stream of STREAMS) once.write(stream, text[stream]);
      once.end();
      const expected = await messages(join(folder, `once-${seed}`), 1);

      const path = join(folder, `log-${seed}`);
      const said: Said = { text, notes: new Map() };
      let lives = 1;
      while (!live(path, { maxSize, maxFile }, said, next)) lives++;
      assert.ok(lives < 300);
      const found = await messages(path, maxFile);
      for (const stream of STREAMS) {
        // What was rotated away is the beginning.
        const all = maxSize === 1 << 30 || maxFile === 500;
        const end = all
          ? expected[stream]
          : expected[stream].slice(expected[stream].length - found[stream].length);
        assert.deepEqual(found[stream], end, `seed ${seed}, ${stream}, ${lives} lives`);
      }
      assert.ok(!existsSync(`${path}.next`));
    }
  });
}

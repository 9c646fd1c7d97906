import { join } from "node:path";
import { SPOOL, type Written } from "../../plan/records.ts";
import { RUN_FILES } from "../launch/session.ts";
import type { Position, Sink, StreamName } from "../launcher.ts";
import { openSpool, type Spool } from "./spool.ts";

/** The engine's end of a start's output. */
export interface Outlet {
  /** As `Running` has it. */
  drain(sink: Sink | null): Promise<void>;
  /** The keeper says how far the output is. */
  written(written: Written): void;
  /** The process has ended; null where nobody is left who could say how much it wrote. */
  ended(written: Written | null): void;
  close(): void;
}

/** How long others may go on writing after the process has ended. */
const GRACE_MS = 3000;
/** Milliseconds that one stream may keep the engine from everything else. */
const TURN_MS = 5;
/** The keeper hears after so many bytes, so that it can go on while there are more. */
const SHARE = SPOOL.limit / 4;
const NOWHERE: Position = { held: 0, inode: 0, size: 0 };

interface Stream {
  readonly name: StreamName;
  readonly index: number;
  readonly spool: Spool;
  /** Offset that the keeper was told last. */
  taken: number;
  /** Where it ends, as far as anybody said. */
  known: number;
  /** The keeper waits to be told. */
  asked: boolean;
  /** Whether its beginning is noted. */
  noted: boolean;
  active: boolean;
  /** Ends a wait for somebody slow. */
  hurry: (() => void) | null;
}

/**
 * The output of a start. `goOn`: an earlier engine may have had some of it. `tell` reaches the keeper, where there
 * is one.
 */
export function createOutlet(
  runDir: string,
  terminal: boolean,
  goOn: boolean,
  tell: (stream: number, offset: number) => void,
): Outlet {
  const names: readonly StreamName[] = terminal ? ["stdout"] : ["stdout", "stderr"];
  const streams = names.map(
    (name, index): Stream => ({
      name,
      index,
      spool: openSpool(join(runDir, RUN_FILES[name])),
      taken: SPOOL.start,
      known: SPOOL.start,
      asked: false,
      noted: false,
      active: false,
      hurry: null,
    }),
  );
  const through = Promise.withResolvers<void>();
  let sink: Sink | null | undefined;
  /** What there is in all, once the process has ended. */
  let end: Written | null = null;
  let late: ReturnType<typeof setTimeout> | undefined;

  const note = ({ name, spool }: Stream) => spool.note(sink?.journal?.position(name) ?? NOWHERE);

  const acknowledge = (stream: Stream) => {
    note(stream);
    stream.taken = stream.spool.offset;
    stream.asked = false;
    tell(stream.index, stream.taken);
  };

  /** A slow listener holds the stream up while the process runs; afterwards what is left is little. */
  const held = (stream: Stream, wait: Promise<unknown>) =>
    new Promise<void>((resolve) => {
      stream.hurry = resolve;
      const done = () => resolve();
      wait.then(done, done);
    });

  const pump = async (stream: Stream, to: Sink): Promise<void> => {
    const { name, spool } = stream;
    let since = performance.now();
    if (!stream.noted && spool.size() > SPOOL.start) {
      note(stream);
      stream.noted = true;
    }
    for (let chunk = spool.read(); chunk !== null; chunk = spool.read()) {
      const wait = to.write(name, chunk);
      if (wait && end === null) await held(stream, wait);
      if (end === null && spool.offset - stream.taken >= SHARE) acknowledge(stream);
      // What is there already is read without a turn of the event loop: others must get theirs.
      if (performance.now() - since > TURN_MS) {
        await new Promise(setImmediate);
        since = performance.now();
      }
    }
    stream.known = spool.offset;
    if (end === null && (stream.asked || spool.offset !== stream.taken)) acknowledge(stream);
  };

  const skip = async (stream: Stream): Promise<void> => {
    stream.spool.offset = Math.max(stream.known, stream.spool.size());
    if (end === null) acknowledge(stream);
  };

  const start = (stream: Stream) => {
    const { known, spool } = stream;
    if (sink === undefined || stream.active || (known <= spool.offset && !stream.asked)) return;
    stream.active = true;
    const pumped = sink === null ? skip(stream) : pump(stream, sink);
    void pumped
      // Output that cannot be read is lost; the end of the container must not be.
      .catch(() => skip(stream))
      .catch(() => {
        stream.asked = false;
        stream.known = spool.offset;
      })
      .then(() => {
        stream.active = false;
        goOnOrFinish();
      });
  };

  const goOnOrFinish = () => {
    if (sink === undefined) return;
    for (const stream of streams) start(stream);
    if (end === null || streams.some(({ active, known, spool }) => active || spool.offset < known)) return;
    if (!end.open) {
      clearTimeout(late);
      through.resolve();
    } else late ??= setTimeout(through.resolve, GRACE_MS);
  };

  const heard = ({ sizes }: Written) => {
    for (const stream of streams) {
      stream.known = Math.max(stream.known, sizes[stream.index] ?? 0);
      if (stream.known > stream.taken && end === null) stream.asked = true;
    }
  };

  /** Where an earlier engine stopped: what its journal has got of what came after its last note is left out. */
  const resume = (journal: Sink["journal"]) => {
    const found = streams.flatMap((stream) => {
      const noted = stream.spool.noted();
      if (noted === null) return [];
      stream.noted = true;
      stream.spool.offset = noted.offset;
      return [{ stream, noted }];
    });
    if (journal) {
      const resumed = found.map(({ stream: { name, spool }, noted }) => ({
        ...noted,
        stream: name,
        bytes: spool.rest(),
      }));
      for (const [index, length] of journal.resume(resumed).entries())
        found[index]!.stream.spool.offset += length;
    }
    for (const stream of streams) {
      stream.known = stream.spool.size();
      stream.asked = end === null;
    }
  };

  return {
    drain(to) {
      sink = to;
      const journal = to?.journal;
      if (goOn) resume(journal);
      if (journal) {
        journal.moving = () => {
          for (const stream of streams) if (stream.noted) note(stream);
        };
      }
      goOnOrFinish();
      return through.promise;
    },
    written(written) {
      heard(written);
      if (end !== null) end = written;
      // The end may be the next report: the keeper need not be told then.
      queueMicrotask(goOnOrFinish);
    },
    ended(written) {
      if (end !== null) return;
      const [stdout, stderr] = streams;
      end = written ?? { sizes: [stdout?.spool.size() ?? 0, stderr?.spool.size() ?? 0], open: false };
      heard(end);
      for (const stream of streams) {
        stream.asked = false;
        stream.hurry?.();
      }
      queueMicrotask(goOnOrFinish);
    },
    close() {
      clearTimeout(late);
      for (const { spool } of streams) spool.close();
    },
  };
}

import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { codeOf } from "../../oci/error.ts";
import { SPOOL } from "../../plan/records.ts";
import type { Position } from "../launcher.ts";

/**
 * One stream of a start: the file to whose end the keeper moves output, and whose beginning belongs to the
 * engine. There it notes how far it is, in one write, so that the next engine goes on from there.
 */
export interface Spool {
  /** Offset up to which it has been read. */
  offset: number;
  /** The next bytes, null where there are none yet. The memory is overwritten by the next read of any spool. */
  read(): Uint8Array | null;
  /** Everything from `offset` on, in memory of its own. */
  rest(): Uint8Array;
  /** Where it ends now. */
  size(): number;
  /** A full disk is no reason to stop: what comes after the note before may then come twice after a crash. */
  note(position: Position): void;
  /** What was noted last; `held` is 0 and `offset` where it begins. Null when nothing was. */
  noted(): (Position & { readonly offset: number }) | null;
  close(): void;
}

/** Four 64-bit integers: magic, offset up to which the journal has the stream, inode and size of its file. */
const NOTE_SIZE = 32;
const NOTE_MAGIC = 0x65746f6e6c6f6f70n;
/** As much as is read at once: a socket takes it whole, so that nothing of it waits in memory for each listener. */
const CHUNK = 64 * 1024;

/** One for all: what is read is gone when the next is. */
let chunk: Buffer | null = null;

/** The spool at `path`; it is opened when it is first looked into, as there is none before the first byte. */
export function openSpool(path: string): Spool {
  let descriptor = -1;
  const open = (): boolean => {
    if (descriptor >= 0) return true;
    try {
      descriptor = openSync(path, constants.O_RDWR);
      return true;
    } catch (error) {
      if (codeOf(error) === "ENOENT") return false;
      throw error;
    }
  };
  const size = () => (open() ? Math.max(fstatSync(descriptor).size, SPOOL.start) : SPOOL.start);

  return {
    offset: SPOOL.start,
    size,
    read() {
      if (!open()) return null;
      chunk ??= Buffer.allocUnsafeSlow(CHUNK);
      const length = readSync(descriptor, chunk, 0, CHUNK, this.offset);
      if (length === 0) return null;
      this.offset += length;
      return chunk.subarray(0, length);
    },
    rest() {
      const bytes = Buffer.alloc(size() - this.offset);
      if (bytes.length === 0) return bytes;
      return bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.length, this.offset));
    },
    note({ held, inode, size: journal }) {
      if (!open()) return;
      const note = new DataView(new ArrayBuffer(NOTE_SIZE));
      note.setBigUint64(0, NOTE_MAGIC, true);
      note.setBigUint64(8, BigInt(this.offset - held), true);
      note.setBigUint64(16, BigInt(inode), true);
      note.setBigUint64(24, BigInt(journal), true);
      try {
        writeSync(descriptor, new Uint8Array(note.buffer), 0, NOTE_SIZE, 0);
      } catch (error) {
        if (!["ENOSPC", "EDQUOT"].includes(codeOf(error) ?? "")) throw error;
      }
    },
    noted() {
      if (!open()) return null;
      const note = new DataView(new ArrayBuffer(NOTE_SIZE));
      const length = readSync(descriptor, new Uint8Array(note.buffer), 0, NOTE_SIZE, 0);
      if (length < NOTE_SIZE || note.getBigUint64(0, true) !== NOTE_MAGIC) return null;
      const at = (offset: number) => Number(note.getBigUint64(offset, true));
      return { offset: at(8), held: 0, inode: at(16), size: at(24) };
    },
    close() {
      if (descriptor >= 0) closeSync(descriptor);
      descriptor = -1;
    },
  };
}

import { closeSync, constants, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { codeOf } from "../../oci/error.ts";
import { encodeControl, encodeTaken } from "../../plan/records.ts";
import { RUN_FILES } from "../launch/session.ts";

/**
 * Tell the keeper of `runDir` something. False when it is gone (ENXIO: nobody reads the FIFO, ENOENT: nobody
 * is there any more). The descriptor is not kept: orders are rare and descriptors are not free.
 */
export function tellKeeper(runDir: string, ...order: Parameters<typeof encodeControl>): boolean {
  return send(runDir, encodeControl(...order));
}

/** Tell it that a stream's spool has been read up to an offset. */
export function tellTaken(runDir: string, ...taken: Parameters<typeof encodeTaken>): boolean {
  return send(runDir, encodeTaken(...taken));
}

function send(runDir: string, record: Uint8Array): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(join(runDir, RUN_FILES.control), constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (["ENXIO", "ENOENT"].includes(codeOf(error) ?? "")) return false;
    throw error;
  }
  try {
    writeSync(descriptor, record);
    return true;
  } finally {
    closeSync(descriptor);
  }
}

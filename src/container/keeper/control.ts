import { closeSync, constants, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { codeOf } from "../../oci/error.ts";
import { encodeControl } from "../../plan/records.ts";
import { RUN_FILES } from "../launch/session.ts";

/**
 * Tell the keeper of `runDir` something. False when it is gone (ENXIO: nobody reads the FIFO, ENOENT: nobody
 * is there any more). The descriptor is not kept: orders are rare and descriptors are not free.
 */
export function tellKeeper(runDir: string, ...order: Parameters<typeof encodeControl>): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(join(runDir, RUN_FILES.control), constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (["ENXIO", "ENOENT"].includes(codeOf(error) ?? "")) return false;
    throw error;
  }
  try {
    writeSync(descriptor, encodeControl(...order));
    return true;
  } finally {
    closeSync(descriptor);
  }
}

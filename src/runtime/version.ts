import { writeSync } from "node:fs";
import { OCI_VERSION } from "../oci/runtime/config.ts";

const VERSION = "0.1.0";

/** The lines that dockerd and podman read. */
export function printVersion(): number {
  writeSync(1, `cais-runtime version ${VERSION}\ncommit: ${VERSION}\nspec: ${OCI_VERSION.max}\n`);
  return 0;
}

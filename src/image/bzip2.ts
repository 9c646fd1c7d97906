import { Refusal } from "../oci/error.ts";
import type { Bytes } from "../storage/driver.ts";

/** Not yet read: recognised so that the refusal can say so. */
export function bunzip2(_source: Bytes): Bytes {
  throw new Refusal(
    "unsupported",
    "Cannot read the archive: it is compressed with bzip2; compress it with gzip, xz or zstd instead",
  );
}

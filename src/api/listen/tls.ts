import { readFileSync } from "node:fs";
import { Refusal, reasonOf } from "../../oci/error.ts";

/** Paths of PEM files. */
export interface TlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** What a server shows, and whom it lets in. */
export interface TlsKeys {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Clients need a certificate that this authority signed; null lets everybody in. */
  readonly clients: Buffer | null;
}

/** @throws Refusal that names the file that cannot be read */
export function loadTls(files: TlsFiles, verify: boolean): TlsKeys {
  const read = (path: string, what: string): Buffer => {
    try {
      return readFileSync(path);
    } catch (error) {
      throw new Refusal(
        "invalid",
        `invalid TLS configuration: Could not load ${what} ${path}: ${reasonOf(error)}`,
      );
    }
  };
  return {
    cert: read(files.cert, "the certificate"),
    key: read(files.key, "the key"),
    clients: verify ? read(files.ca, "the CA certificate") : null,
  };
}

import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { ClientTls } from "../host/socket.ts";
import { Failure } from "./failure.ts";
import type { TlsOptions } from "./flags/tls.ts";

/** Paths of the three files: as given, else in `DOCKER_CERT_PATH`, else where Docker has them. */
export function tlsPaths(
  options: TlsOptions,
  environment: NodeJS.ProcessEnv,
): { readonly ca: string; readonly cert: string; readonly key: string } {
  const folder = environment.DOCKER_CERT_PATH || join(environment.HOME || homedir(), ".docker");
  return {
    ca: options.tlscacert ?? join(folder, "ca.pem"),
    cert: options.tlscert ?? join(folder, "cert.pem"),
    key: options.tlskey ?? join(folder, "key.pem"),
  };
}

/**
 * What a client secures TCP with, where somebody asked (`--tls…`, DOCKER_TLS, DOCKER_TLS_VERIFY). Files that were
 * named must be there, those that are looked for where Docker has them need not.
 */
export function clientTls(options: TlsOptions, environment: NodeJS.ProcessEnv): ClientTls {
  const paths = tlsPaths(options, environment);
  const read = (path: string, named: string | undefined): string | undefined => {
    try {
      return readFileSync(path, "utf8");
    } catch (error) {
      if (named === undefined) return undefined;
      throw new Failure(`Cannot use ${path} for TLS: ${(error as Error).message}`, 125);
    }
  };
  const ca = read(paths.ca, options.tlscacert);
  const cert = read(paths.cert, options.tlscert);
  const key = read(paths.key, options.tlskey);
  const verify = options.tlsverify || Boolean(environment.DOCKER_TLS_VERIFY);
  return { verify, ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}

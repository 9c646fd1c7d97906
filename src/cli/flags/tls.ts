import { bool, text } from "./flag.ts";

/** Docker's flags, for clients and for `serve`. */
export const tlsFlags = {
  tls: bool("Use TLS; --tlsverify implies it"),
  tlscacert: text("Trust only what this CA has signed", { shown: '"~/.docker/ca.pem"' }),
  tlscert: text("TLS certificate file", { shown: '"~/.docker/cert.pem"' }),
  tlskey: text("TLS key file", { shown: '"~/.docker/key.pem"' }),
  tlsverify: bool("Use TLS and verify the other side"),
};

/** What came of the flags. */
export interface TlsOptions {
  readonly tls: boolean;
  readonly tlsverify: boolean;
  readonly tlscacert?: string | undefined;
  readonly tlscert?: string | undefined;
  readonly tlskey?: string | undefined;
}

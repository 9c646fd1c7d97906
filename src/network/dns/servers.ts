import { readFileSync, statSync } from "node:fs";
import { isIP } from "node:net";

/** The words of a resolv.conf(5), in their order. */
export interface ResolvConf {
  readonly servers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

/** Reads it as the C library does: what it does not know is passed over. */
export function parseResolvConf(text: string): ResolvConf {
  const servers: string[] = [];
  let search: string[] = [];
  const options: string[] = [];
  for (const line of text.slice(0, 65536).split("\n")) {
    const [word = "", ...values] = line
      .replace(/[#;].*/, "")
      .trim()
      .split(/\s+/);
    const address = values[0] ?? "";
    if (word === "nameserver" && isIP(address.split("%")[0] ?? "") !== 0) servers.push(address);
    // The last of several counts.
    else if (word === "search" || word === "domain")
      search = values.slice(0, word === "domain" ? 1 : undefined);
    else if (word === "options") options.push(...values);
  }
  return { servers, search, options };
}

/** Whether only this host itself can ask at an address. */
export const isLoopback = (address: string): boolean => address.startsWith("127.") || address === "::1";

/** The servers of `/etc/resolv.conf`, read again when the file has changed. */
export function createHostServers(path = "/etc/resolv.conf"): () => readonly string[] {
  let seen = "";
  let servers: readonly string[] = [];
  return () => {
    try {
      const { mtimeMs, ino, size } = statSync(path);
      const now = `${ino} ${size} ${mtimeMs}`;
      if (now !== seen) {
        servers = parseResolvConf(readFileSync(path, "utf8")).servers;
        seen = now;
      }
    } catch {
      servers = [];
      seen = "";
    }
    return servers;
  };
}

/** The first part of an HTTP/1.1 request (RFC 9112). */
export interface Head {
  readonly method: string;
  /** As sent, before the `?`. */
  readonly path: string;
  /** As sent, after the `?`. */
  readonly search: string;
  /** Names in lower case; repeated ones joined with a comma. */
  readonly headers: ReadonlyMap<string, string>;
  readonly http10: boolean;
}

/** Longer heads are refused: filters that name thousands of containers are far below it. */
export const MAX_HEAD = 256 * 1024;

/**
 * Where the head ends and what follows it begins. Lines may end without a carriage return, as people type them (RFC
 * 9112, 2.2).
 */
export function endOfHead(bytes: Buffer): { readonly end: number; readonly next: number } | null {
  const end = bytes.indexOf("\n\r\n");
  const bare = (end < 0 ? bytes : bytes.subarray(0, end)).indexOf("\n\n");
  if (bare >= 0) return { end: bare, next: bare + 2 };
  return end < 0 ? null : { end, next: end + 3 };
}

const REQUEST_LINE = /^([A-Za-z]{1,20}) (\S+) HTTP\/1\.([01])\r?$/;
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be in a value
const CONTROL = /[\0-\x08\x0a-\x1f\x7f]/;

/** @param text everything before the empty line; null when it is no HTTP/1.1 request */
export function parseHead(text: string): Head | null {
  const lines = text.split("\n");
  const match = REQUEST_LINE.exec(lines[0]!);
  if (!match) return null;
  const headers = new Map<string, string>();
  for (let index = 1; index < lines.length; index++) {
    const line = lines[index]!;
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0));
    const value = line.slice(colon + 1).trim();
    // A name must touch its colon, and continuation lines are obsolete: both are how requests are smuggled.
    if (!NAME.test(name) || CONTROL.test(value)) return null;
    const key = name.toLowerCase();
    const before = headers.get(key);
    headers.set(key, before === undefined ? value : `${before}, ${value}`);
  }
  let target = match[2]!;
  // Absolute form, as proxies and `docker` over TCP may send it.
  if (!target.startsWith("/")) target = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, "");
  if (!target.startsWith("/")) return null;
  // Of several hosts, or none, nobody knows which one somebody else has believed.
  const host = headers.get("host");
  if (host === undefined ? match[3] === "1" : /[\s,/]/.test(host)) return null;
  const query = target.indexOf("?");
  return {
    method: match[1]!,
    path: query < 0 ? target : target.slice(0, query),
    search: query < 0 ? "" : target.slice(query + 1),
    headers,
    http10: match[3] === "0",
  };
}

/** How long the body is: bytes, in chunks, or coded in another way; null when the headers contradict each other. */
export function bodyLength({ headers }: Head): number | "chunked" | "unknown" | null {
  const encoding = headers.get("transfer-encoding");
  const length = headers.get("content-length");
  if (encoding !== undefined) {
    if (encoding.toLowerCase() !== "chunked") return "unknown";
    return length === undefined ? "chunked" : null;
  }
  if (length === undefined) return 0;
  // The same twice is no contradiction (RFC 9110, 8.6).
  const [first = "", ...more] = length.split(/\s*,\s*/);
  return /^\d{1,15}$/.test(first) && more.every((one) => one === first) ? Number(first) : null;
}

/** What the client waits for before it sends its body: to be told so, or what nobody here knows. */
export function expectation({ headers, http10 }: Head): "continue" | "unknown" | null {
  const text = headers.get("expect");
  // Clients of HTTP/1.0 know no such answer.
  if (text === undefined || http10) return null;
  return text.toLowerCase() === "100-continue" ? "continue" : "unknown";
}

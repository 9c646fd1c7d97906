/**
 * Modules of Node that are loaded when they are first needed. Importing `node:fs` costs a command a millisecond, a
 * tenth of its life, and `cais run … true` neither reads nor writes a file. Bundled, `require` is the cheap way:
 * `process.getBuiltinModule` takes five times as long.
 */
export const fs = (): typeof import("node:fs") => require("node:fs") as typeof import("node:fs");
/** `node:path`, likewise: half a millisecond. */
export const path = (): typeof import("node:path") => require("node:path") as typeof import("node:path");
/** `node:net`, likewise: it takes several milliseconds. */
export const net = (): typeof import("node:net") => require("node:net") as typeof import("node:net");

// The archive format is the image folder's; the command line needs its reader and writer, nothing else of it.
export { type ByteText, byteText, fsPath, joined, readable, toByteText } from "../../image/tar/entry.ts";
export { type Entry, readTar } from "../../image/tar/read.ts";
export { encodeHeader, endOfArchive, PLAIN, padding } from "../../image/tar/write.ts";

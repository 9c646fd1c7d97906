import { closeSync, createReadStream, fstatSync, openSync } from "node:fs";
import { Readable } from "node:stream";
import { Failure } from "./failure.ts";
import { inputStream } from "./session/input.ts";

/** A file as the body of a request; `-` is standard input. @throws Failure where it cannot be opened */
export function upload(path: string): ReadableStream<Uint8Array> {
  if (path === "-") return inputStream();
  try {
    const fd = openSync(path, "r");
    if (fstatSync(fd).isDirectory()) {
      closeSync(fd);
      throw new Failure(`Cannot read ${path}: it is a directory; name an archive, or - for standard input`);
    }
    return Readable.toWeb(createReadStream("", { fd })) as unknown as ReadableStream<Uint8Array>;
  } catch (error) {
    if (error instanceof Failure) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new Failure(`open ${path}: ${code === "ENOENT" ? "no such file or directory" : code}`);
  }
}

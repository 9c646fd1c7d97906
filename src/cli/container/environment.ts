import { isUtf8 } from "node:buffer";
import { codeOf } from "../../oci/error.ts";
import { caller } from "../caller/caller.ts";
import { Failure } from "../failure.ts";
import { files as filesOf } from "../files.ts";
import { cut } from "../flags/quantity.ts";

/**
 * `--env-file` and `-e` in Docker's order: files first. `NAME` alone takes the value from this process; where
 * there is none, `-e NAME` is passed on as it is (which unsets it) and a file's line is left out.
 */
export function environment(files: readonly string[], given: readonly string[]): readonly string[] {
  const fromFiles = files.flatMap((file) => lines(file).flatMap((line) => fileLine(file, line)));
  return [...fromFiles, ...given.map(option)];
}

function option(text: string): string {
  const [name, value] = cut(text, "=");
  if (name === "") throw new Failure(`invalid environment variable: ${text}`, 125);
  if (value !== undefined) return text;
  const own = caller().environment[name];
  return own === undefined ? name : `${name}=${own}`;
}

function fileLine(file: string, line: string): readonly string[] {
  const [name, value] = cut(line, "=");
  if (name === "") throw new Failure(`no variable name on line '${line}' of ${file}`, 125);
  if (/\s/.test(name))
    throw new Failure(`invalid env file (${file}): variable '${name}' contains whitespaces`, 125);
  if (value !== undefined) return [line];
  const own = caller().environment[name];
  return own === undefined ? [] : [`${name}=${own}`];
}

/** `--label-file` and `-l`: a label without a value is empty. */
export function labels(files: readonly string[], given: readonly string[]): Readonly<Record<string, string>> {
  const all = [...files.flatMap(lines), ...given];
  const nameless = all.find((text) => text.startsWith("=") || text === "");
  if (nameless !== undefined) throw new Failure(`invalid label '${nameless}': empty name`, 125);
  return pairs(all);
}

/** `name=value` texts as a map. */
export function pairs(texts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(texts.map((text) => [cut(text, "=")[0], cut(text, "=")[1] ?? ""]));
}

/** Lines that say something: no comments, no blank ones, no byte order mark, no leading blanks. */
function lines(file: string): readonly string[] {
  let bytes: Buffer;
  try {
    bytes = filesOf().readFileSync(file);
  } catch (error) {
    const code = codeOf(error);
    throw new Failure(`open ${file}: ${code === "ENOENT" ? "no such file or directory" : code}`, 125);
  }
  if (!isUtf8(bytes)) throw new Failure(`invalid env file (${file}): it has bytes that are no UTF-8`, 125);
  return bytes
    .toString("utf8")
    .replace(/^\uFEFF/, "")
    .split("\n")
    .map((line) => line.replace(/\r$/, "").trimStart())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

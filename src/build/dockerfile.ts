import type { Escape } from "../image/words.ts";
import { Refusal } from "../oci/error.ts";
import { checkInstructions } from "./check.ts";

/** One instruction, its continued lines joined. */
export interface Instruction {
  /** Upper case. */
  readonly name: string;
  /** `--chown=1:2` and the like, in order. */
  readonly flags: readonly string[];
  /** What follows. */
  readonly text: string;
  /** As written, for messages. */
  readonly original: string;
  /** Where it begins, from 1. */
  readonly line: number;
}

export interface Dockerfile {
  readonly instructions: readonly Instruction[];
  readonly escape: Escape;
}

const KNOWN = new Set(
  "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR".split(
    " ",
  ),
);
/** Bounds on what is parsed at all. */
const SIZE_MAX = 4 * 1024 * 1024;
const INSTRUCTIONS_MAX = 10_000;
const FLAGS_MAX = 100;

/** Parses a Dockerfile, or (`part`) instructions that an image wants done in what is built on it; errors name the line. */
export function parseDockerfile(source: string, part?: "part"): Dockerfile {
  if (source.length > SIZE_MAX) throw new Refusal("invalid", "dockerfile is larger than 4 MiB");
  const lines = source.replace(/^\ufeff/, "").split(/\r?\n/);
  const mark = escapeDirective(lines);
  const continued = mark === "\\" ? /\\[ \t]*$/ : /`[ \t]*$/;
  const instructions: Instruction[] = [];
  for (let at = 0; at < lines.length; ) {
    const first = at + 1;
    let piece = lines[at++]!.trimStart();
    if (piece.trim() === "" || piece.startsWith("#")) continue;
    const pieces: string[] = [];
    while (continued.test(piece) && at < lines.length) {
      pieces.push(piece.replace(continued, ""));
      // Comments and empty lines between continued lines are not there.
      while (at < lines.length && /^\s*(#.*)?$/.test(lines[at]!)) at++;
      piece = lines[at++] ?? "";
    }
    pieces.push(piece.replace(continued, ""));
    instructions.push(instructionOf(pieces.join("").trim(), first));
    if (instructions.length > INSTRUCTIONS_MAX) throw parseError(first, "too many instructions");
  }
  if (source === "") throw new Refusal("invalid", "the Dockerfile (Dockerfile) cannot be empty");
  if (instructions.length === 0)
    throw new Refusal("invalid", "failed to parse Dockerfile: file with no instructions");
  checkInstructions(instructions, mark, part !== undefined);
  return { instructions, escape: mark };
}

/** `# escape=X` is only a directive above everything else. */
function escapeDirective(lines: readonly string[]): Escape {
  let mark: Escape | undefined;
  for (const [i, line] of lines.entries()) {
    const directive = /^#\s*([a-zA-Z]+)\s*=\s*(\S*)\s*$/.exec(line);
    if (directive === null) break;
    if (directive[1]!.toLowerCase() !== "escape") continue;
    if (mark !== undefined)
      throw new Refusal(
        "invalid",
        "failed to parse Dockerfile: only one escape parser directive can be used",
      );
    if (directive[2] === "\\" || directive[2] === "`") {
      mark = directive[2];
      continue;
    }
    throw parseError(i + 1, `invalid ESCAPE '${directive[2]}'. Must be \` or \\`);
  }
  return mark ?? "\\";
}

function instructionOf(original: string, line: number): Instruction {
  const [word = ""] = original.split(/\s/, 1);
  const name = word.toUpperCase();
  if (!KNOWN.has(name)) throw parseError(line, `unknown instruction: ${word}`);
  let text = original.slice(word.length).trim();
  const flags: string[] = [];
  if (["ADD", "COPY", "FROM", "RUN"].includes(name)) {
    for (let flag = /^--\S+/.exec(text); flag !== null; flag = /^--\S+/.exec(text)) {
      flags.push(flag[0]);
      if (flags.length > FLAGS_MAX) throw parseError(line, "too many flags");
      text = text.slice(flag[0].length).trim();
    }
  }
  if (["ADD", "COPY", "RUN"].includes(name) && /(^|\s)<<-?(["']?)[A-Za-z_]\w*\2/.test(text)) {
    throw parseError(
      line,
      `${name} with a here-document is not supported; put its lines into a file of the context`,
    );
  }
  return { name, flags, text, original, line };
}

/** Docker's words for an error at a line. */
export function parseError(line: number, why: string): Refusal {
  return new Refusal("invalid", `dockerfile parse error on line ${line}: ${why}`);
}

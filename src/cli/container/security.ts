import { codeOf } from "../../oci/error.ts";
import { Failure } from "../failure.ts";
import { files } from "../files.ts";
import { cut } from "../flags/quantity.ts";

export interface Security {
  readonly options: readonly string[];
  /** `systempaths=unconfined`: no path of /proc and /sys is masked or read-only. */
  readonly openPaths: boolean;
}

/** `--security-opt`: profile files are read here, because the engine may be on another machine. */
export function security(texts: readonly string[]): Security {
  const options: string[] = [];
  let openPaths = false;
  for (const text of texts) {
    const [name, value] = text.includes("=") ? cut(text, "=") : cut(text, ":");
    if (text === "systempaths=unconfined") openPaths = true;
    else if (name === "no-new-privileges") options.push(text);
    else if (value === undefined) throw new Failure(`invalid --security-opt: ${JSON.stringify(text)}`, 125);
    else if (name === "seccomp" && value !== "unconfined" && value !== "builtin")
      options.push(`seccomp=${profile(value)}`);
    else options.push(text);
  }
  return { options, openPaths };
}

/**
 * `--cap-add` and `--cap-drop` as Docker's client sends them: whole names, sorted, each once; `ALL` makes the others
 * needless, and what is added is not dropped.
 */
export function capabilities(
  add: readonly string[],
  drop: readonly string[],
): { readonly CapAdd: readonly string[]; readonly CapDrop: readonly string[] } {
  const added = whole(add);
  return { CapAdd: added, CapDrop: whole(drop).filter((name) => !added.includes(name)) };
}

function whole(words: readonly string[]): readonly string[] {
  const names = words.map((word) => word.trim().toUpperCase());
  if (names.includes("ALL")) return ["ALL"];
  return [...new Set(names.map((name) => (name.startsWith("CAP_") ? name : `CAP_${name}`)))].sort();
}

function profile(path: string): string {
  let text: string;
  try {
    text = files().readFileSync(path, "utf8");
  } catch (error) {
    const code = codeOf(error);
    const why = code === "ENOENT" ? "no such file or directory" : code;
    throw new Failure(`opening seccomp profile (${path}) failed: open ${path}: ${why}`, 125);
  }
  try {
    return JSON.stringify(JSON.parse(text));
  } catch (error) {
    throw new Failure(
      `compacting json for seccomp profile (${path}) failed: ${(error as Error).message}`,
      125,
    );
  }
}

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

import type { Propagation } from "../../wire/mount.ts";
import { cleanPath, type MountPoint, PLAIN, wrongTarget, wrongVolumeName } from "./mountpoint.ts";
import { typedWord } from "./origins.ts";

const PROPAGATIONS = ["private", "rprivate", "shared", "rshared", "slave", "rslave"];
/** Words that can be given once each: of every kind one. */
const KINDS: readonly (readonly string[])[] = [
  ["ro", "rw"],
  ["z", "Z"],
  PROPAGATIONS,
  ["nocopy"],
  ["consistent", "cached", "delegated"],
];

/**
 * One word of `Binds` (`-v source:target:options`).
 * @returns a sentence of Docker's for one that makes no sense
 */
export function parseBind(word: string): MountPoint | string {
  const parts = word.split(":");
  const invalid = (why = "") => `invalid volume specification: '${word.slice(0, 200)}'${why}`;
  const [first = "", second = "", mode = ""] = parts;
  if (word.includes("\0") || parts.length > 3 || first === "" || (parts.length > 1 && second === ""))
    return invalid();
  if (parts.length === 1) {
    const wrong = wrongTarget(first.slice(0, 80));
    if (wrong !== undefined) return invalid(`: invalid mount config for type "volume": ${wrong}`);
    return point("volume", "", first, [], word);
  }
  // A volume without a name takes no options.
  if (parts.length === 2 && wrongMode(second) === undefined) return invalid();
  const words = mode === "" ? [] : mode.split(",");
  const wrong = words.length > 0 ? wrongMode(mode) : undefined;
  if (wrong !== undefined) return wrong;
  const type = first.startsWith("/") ? "bind" : "volume";
  const config = (why: string) => invalid(`: invalid mount config for type "${type}": ${why}`);
  const target = wrongTarget(second);
  if (target !== undefined) return config(target);
  if (type === "volume") {
    if (words.some((one) => PROPAGATIONS.includes(one)))
      return config("field BindOptions must not be specified");
    const name = wrongVolumeName(first);
    if (name !== undefined) return name;
  } else if (words.includes("nocopy")) return config("field VolumeOptions must not be specified");
  return point(type, first, second, words, word);
}

function point(
  type: "bind" | "volume",
  source: string,
  target: string,
  words: readonly string[],
  word: string,
): MountPoint {
  return {
    ...PLAIN,
    type,
    source: type === "bind" ? cleanPath(source) : source,
    target: cleanPath(target),
    readonly: words.includes("ro"),
    propagation: (words.find((one) => PROPAGATIONS.includes(one)) ?? "") as Propagation,
    copy: !words.includes("nocopy"),
    create: type === "bind",
    mode: words.length > 0 ? words.join(",") : type === "volume" && source !== "" ? "z" : "",
    option: `-v ${typedWord(word)}`,
  };
}

function wrongMode(mode: string): string | undefined {
  const words = mode.split(",");
  const known = words.every((word) => KINDS.some((kind) => kind.includes(word)));
  const once = KINDS.every((kind) => words.filter((word) => kind.includes(word)).length <= 1);
  return known && once ? undefined : `invalid mode: ${mode.slice(0, 80)}`;
}

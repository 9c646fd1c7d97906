/** For a guest's shell: `say NAME COMMAND…` writes what a command says as one line behind its name. */
export const SAY = "say() { name=$1; shift; echo \"$name: $(\"$@\" 2>&1 < /dev/null | tr '\\n\\0' '  ')\"; }";

/** What was said in lines of `name: value`. */
export function saidIn(output: string): ReadonlyMap<string, string> {
  return new Map(
    output
      .trim()
      .split("\n")
      .map((line) => {
        const colon = line.indexOf(": ");
        return [line.slice(0, colon), line.slice(colon + 2).trim()];
      }),
  );
}

/** What a program in `guest` printed as one line of JSON behind the word "found". */
export function foundIn(output: string): Record<string, unknown> {
  const line = output.split("\n").find((each) => each.startsWith("found "));
  if (line === undefined) throw new Error(`The guest has found nothing:\n${output}`);
  return JSON.parse(line.slice("found ".length)) as Record<string, unknown>;
}

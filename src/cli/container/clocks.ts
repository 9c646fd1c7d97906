import { Failure } from "../failure.ts";

/** `--time-offset [boottime=|monotonic=]SECONDS` as annotations; without a clock both are shifted. */
export function clocks(texts: readonly string[]): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const text of texts) {
    const match = /^(?:(boottime|monotonic)=)?([+-]?\d+)s?$/.exec(text);
    if (!match?.[2])
      throw new Failure(
        `invalid argument "${text}" for --time-offset: write SECONDS, boottime=SECONDS or monotonic=SECONDS`,
        125,
      );
    for (const clock of match[1] ? [match[1]] : ["boottime", "monotonic"])
      found[`cais.time.${clock}`] = String(Number(match[2]));
  }
  return found;
}

const binary: Readonly<Record<string, number>> = { b: 0, k: 1, m: 2, g: 3, t: 4, p: 5 };

/** `48m`, `1.5g`, `512`, `2KiB`: bytes, with 1024 as the base (docs of `docker run --memory`). */
export function bytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?|\.\d+)\s?(?:([kmgtp])i?)?b?$/i.exec(text);
  if (!match?.[1]) throw new Error(`invalid size: '${text}'`);
  return Math.floor(Number(match[1]) * 1024 ** (binary[(match[2] ?? "b").toLowerCase()] ?? 0));
}

/** As `bytes`, and `-1` for "no limit". */
export function bytesOrUnlimited(text: string): number {
  return text === "-1" ? -1 : bytes(text);
}

/** `--cpus 0.2`: nano-CPUs. */
export function nanoCpus(text: string): number {
  const match = /^(\d*)(?:\.(\d*))?$/.exec(text);
  if (!match || (match[1] === "" && !match[2]))
    throw new Error(`failed to parse ${text} as a rational number`);
  const fraction = match[2] ?? "";
  if (fraction.replace(/0+$/, "").length > 9) throw new Error("value is too precise");
  return Number(match[1]) * 1e9 + Number(fraction.padEnd(9, "0").slice(0, 9));
}

const nanoseconds: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 6e10,
  h: 3.6e12,
};

/** Go's durations, `1h30m`, `500ms`: nanoseconds. */
export function duration(text: string): number {
  if (text === "0") return 0;
  const sign = text.startsWith("-") ? -1 : 1;
  const body = text.replace(/^[+-]/, "");
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(body)) {
    const why = /^[\d.]+$/.test(body) ? "missing unit in duration" : "invalid duration";
    throw new Error(`time: ${why} ${JSON.stringify(text)}`);
  }
  let total = 0;
  for (const [, amount, unit] of body.matchAll(/([\d.]+)([a-zµμ]+)/g))
    total += Number(amount) * (nanoseconds[unit ?? ""] ?? 0);
  return sign * Math.round(total);
}

/** `--ulimit name=soft[:hard]`. */
export function ulimit(text: string): {
  readonly Name: string;
  readonly Soft: number;
  readonly Hard: number;
} {
  const [name, value] = cut(text, "=");
  if (value === undefined) throw new Error(`invalid ulimit argument: ${text}`);
  if (!rlimits.has(name)) throw new Error(`invalid ulimit type: ${name}`);
  const [softText, hardText] = cut(value, ":");
  const soft = limit(softText);
  const hard = hardText === undefined ? soft : limit(hardText);
  if (hard !== -1 && (soft === -1 || soft > hard))
    throw new Error(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`);
  return { Name: name, Soft: soft, Hard: hard };
}

const rlimits = new Set(
  "core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack".split(
    " ",
  ),
);

function limit(text: string): number {
  if (!/^-?\d+$/.test(text))
    throw new Error(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

/** The text before and after the first `mark`; no second part without one. */
export function cut(text: string, mark: string): readonly [string, string | undefined] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + mark.length)];
}

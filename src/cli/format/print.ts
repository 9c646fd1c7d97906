import { isMap, NIL_LIST, NIL_MAP, type Value } from "./value.ts";

/** A value as Go's `fmt` prints it with `%v`. */
export function print(value: Value): string {
  if (value === undefined) return "<no value>";
  if (value === null) return "<nil>";
  if (typeof value === "number") return number(value);
  if (typeof value !== "object") return String(value);
  if (Array.isArray(value)) return `[${value.map(print).join(" ")}]`;
  const fields = value as Readonly<Record<string, Value>>;
  if (!isMap(fields)) return `{${Object.values(fields).map(print).join(" ")}}`;
  const keys = Object.keys(fields).sort(byteOrder);
  return `map[${keys.map((key) => `${key}:${print(fields[key])}`).join(" ")}]`;
}

function number(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return value.toFixed(0);
  return String(value).replace(/e([+-])(\d)$/, "e$10$2");
}

function byteOrder(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** JSON as Docker's `json` function writes it: nil lists are null, maps are sorted, functions are left out. */
export function toJson(value: Value, indent?: number): string {
  return JSON.stringify(value ?? null, (_, item: Value) => written(item), indent) ?? "null";
}

function written(item: Value): Value {
  if (item === NIL_LIST || item === NIL_MAP) return null;
  if (typeof item !== "object" || item === null || !isMap(item)) return item;
  return Object.fromEntries(Object.entries(item).sort(([a], [b]) => byteOrder(a, b)));
}

/** `fmt.Sprintf`, as far as templates use it: flags, width, precision and the verbs v s d q t x X c f e g. */
export function sprintf(format: string, args: readonly Value[]): string {
  let next = 0;
  const text = format.replace(
    /%([-+# 0]*)(\*|\d+)?(?:\.(\d+))?([a-zA-Z%])/g,
    (_, flags, width, precision, verb) => {
      if (verb === "%") return "%";
      const columns = width === "*" ? Number(args[next++]) : Number(width ?? 0);
      if (next >= args.length) return `%!${verb}(MISSING)`;
      const told = one(verb, args[next++], precision === undefined ? undefined : Number(precision), flags);
      if (flags.includes("-")) return told.padEnd(columns);
      return flags.includes("0") && /[dxXfeg]/.test(verb)
        ? told.replace(
            /^(-?)(.*)$/,
            (_all, sign, digits) => sign + digits.padStart(columns - sign.length, "0"),
          )
        : told.padStart(columns);
    },
  );
  if (next >= args.length) return text;
  return `${text}%!(EXTRA ${args
    .slice(next)
    .map((arg) => `${kindOf(arg)}=${print(arg)}`)
    .join(", ")})`;
}

function one(verb: string, value: Value, precision: number | undefined, flags: string): string {
  const wrong = () => `%!${verb}(${kindOf(value)}=${print(value)})`;
  const plus = flags.includes("+") && typeof value === "number" && value >= 0 ? "+" : "";
  switch (verb) {
    case "v":
      return print(value);
    case "s":
      if (typeof value === "number" || typeof value === "boolean") return wrong();
      return precision === undefined ? print(value) : [...print(value)].slice(0, precision).join("");
    case "d":
      return typeof value === "number" ? plus + print(value) : wrong();
    case "q":
      return typeof value === "string" ? JSON.stringify(value) : wrong();
    case "t":
      return typeof value === "boolean" ? String(value) : wrong();
    case "c":
      return typeof value === "number" ? String.fromCodePoint(value) : wrong();
    case "x":
    case "X": {
      const hex = typeof value === "number" ? value.toString(16) : Buffer.from(print(value)).toString("hex");
      return verb === "X" ? hex.toUpperCase() : hex;
    }
    case "f":
      return typeof value === "number" ? plus + value.toFixed(precision ?? 6) : wrong();
    case "e":
      return typeof value === "number"
        ? plus + value.toExponential(precision ?? 6).replace(/e([+-])(\d)$/, "e$10$2")
        : wrong();
    case "g":
      return typeof value === "number" ? plus + String(value) : wrong();
    default:
      return wrong();
  }
}

function kindOf(value: Value): string {
  if (value === undefined || value === null) return "<nil>";
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float64";
  if (typeof value === "boolean") return "bool";
  return typeof value === "string" ? "string" : Array.isArray(value) ? "[]string" : "map[string]string";
}

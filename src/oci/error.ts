/** What kind of refusal it is; the API turns it into 404, 409, 400, 501, 403, 503 and 500. */
export type RefusalKind =
  | "notFound"
  | "conflict"
  | "invalid"
  | "unsupported"
  | "forbidden"
  | "unavailable"
  | "failed";

/** A refusal: one clear sentence for a person, with its kind. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly kind: RefusalKind;

  constructor(kind: RefusalKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** The kernel's error code in an error of `node:fs` ("ENOSPC"), or undefined. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** The words for an error in a sentence: what Node adds around the kernel's words is left out. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (codeOf(error) === "ENOSPC")
    return "no space left on device: free some, for example with an image prune";
  return error.message.replace(/^E[A-Z0-9]+: /, "").replace(/, [a-z]+ '.*'( -> '.*')?$/, "");
}

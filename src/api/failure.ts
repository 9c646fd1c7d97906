import { Refusal, type RefusalKind, reasonOf } from "../oci/error.ts";
import { BadBody } from "./http/body.ts";
import type { Exchange } from "./http/exchange.ts";

const STATUS: Readonly<Record<RefusalKind, number>> = {
  notFound: 404,
  conflict: 409,
  invalid: 400,
  unsupported: 501,
  forbidden: 403,
  unavailable: 503,
  failed: 500,
};

/** Status and sentence for anything that was thrown. */
export function describe(error: unknown): { readonly status: number; readonly message: string } {
  if (error instanceof Refusal) return { status: STATUS[error.kind], message: error.message };
  if (error instanceof BadBody) return { status: error.status, message: error.message };
  return { status: 500, message: reasonOf(error) };
}

/** Answers with `{"message": …}`; when the answer has begun already, the connection is all there is to cut. */
export function fail(exchange: Exchange, error: unknown): void {
  if (exchange.answered) return;
  const { status, message } = describe(error);
  exchange.reply(status, `${JSON.stringify({ message })}\n`);
}

/** Answers with a value as JSON. */
export const replyJson = (exchange: Exchange, value: unknown, status = 200): void =>
  exchange.reply(status, `${JSON.stringify(value)}\n`);

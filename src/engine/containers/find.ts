import { type Action, actionOf, type Request } from "../../container/lifecycle.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { conflict, invalid, notFound } from "../refuse.ts";

/**
 * A container by id, name, or the beginning of an id.
 * @throws Refusal with Docker's sentence when there is none, or when the beginning fits several
 */
export function find(context: Context, reference: string): Container {
  const found = context.names.find(reference);
  if (found.kind === "several") {
    throw invalid(`multiple IDs found with provided prefix: ${reference.slice(0, 80)}`);
  }
  const container = found.kind === "one" ? context.containers.get(found.id) : undefined;
  if (!container) throw notFound(`No such container: ${reference.slice(0, 255)}`);
  return container;
}

/**
 * Whether `request` is to be done to the container as it is now.
 * @returns false when there is nothing to do
 * @throws Refusal (409) when its state does not allow it
 */
export function allowed({ record }: Container, request: Request): boolean {
  const action: Action = actionOf(record.state.status, request);
  if (action.kind === "refuse") throw conflict(action.why(record.id));
  return action.kind === "do";
}

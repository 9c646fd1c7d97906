import { type Action, actionOf, type Request } from "../../container/lifecycle.ts";
import { Refusal } from "../../oci/error.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { linked } from "../networks/linkpath.ts";
import { invalid, notFound } from "../refuse.ts";

/**
 * A container by id, name, the beginning of an id, or what another one calls it (`store/db`).
 * @param before what Docker's sentence begins with where it does not say it plainly
 * @throws Refusal with Docker's sentence when there is none, or when the beginning fits several
 */
export function find(context: Context, reference: string, before = ""): Container {
  const found = context.names.find(reference);
  if (found.kind === "several") {
    throw invalid(`multiple IDs found with provided prefix: ${reference.slice(0, 80)}`);
  }
  const container =
    found.kind === "one" ? context.containers.get(found.id) : linked(context, reference)?.child;
  if (!container) {
    const shown = reference.slice(0, 255);
    throw notFound(`${before && `${before}${shown}: `}No such container: ${shown}`);
  }
  return container;
}

/**
 * Whether `request` is to be done to the container as it is now.
 * @param as how the request names it: Docker's sentences repeat that
 * @returns false when there is nothing to do
 * @throws Refusal (409) when its state does not allow it
 */
export function allowed({ record }: Container, request: Request, as: string = record.id): boolean {
  const action: Action = actionOf(record.state.status, request);
  if (action.kind === "refuse") {
    throw new Refusal(action.status === 409 ? "conflict" : "failed", action.why(record.id, as));
  }
  return action.kind === "do";
}

import type { Answer, Request } from "./ask.ts";

/** What earlier steps of a case learnt (ids), by name. */
export type Known = Record<string, string>;

/** One request of a case and how its answers are compared. */
export interface Step {
  readonly request: Request;
  /** Places in the answer's body that may differ (`differences`), with the reason beside them in the table. */
  readonly free?: readonly string[];
  /** Remembers something of the answer for later steps, which write it as `{name}` in path or body. */
  readonly keep?: readonly [name: string, field: string];
  /** Nothing is compared: the step only sets the scene. */
  readonly silent?: boolean;
  /** Only status and type are compared: the body is compared elsewhere or is by chance. */
  readonly bodyless?: boolean;
  /** Makes of both answers what is compared instead of the body. */
  readonly view?: (answer: Answer) => unknown;
  /** Headers whose values are compared besides the common ones; `!name` compares only whether it is there. */
  readonly headers?: readonly string[];
}

/** Requests in their order, sent to both engines; their events are compared as well. */
export interface Case {
  readonly name: string;
  readonly steps: readonly Step[];
  /** Places in the list of events that may differ. */
  readonly freeEvents?: readonly string[];
  /** Events are by chance here. */
  readonly noEvents?: boolean;
}

type Options = Omit<Step, "request" | "headers"> &
  Pick<Request, "input"> & {
    readonly headers?: readonly string[];
    readonly body?: unknown;
    readonly sent?: Readonly<Record<string, string>>;
  };

const step =
  (method: string) =>
  (path: string, options: Options = {}): Step => {
    const { body, sent, input, ...rest } = options;
    return {
      ...rest,
      request: {
        method,
        path,
        ...(body === undefined ? {} : { body }),
        ...(sent === undefined ? {} : { headers: sent }),
        ...(input === undefined ? {} : { input }),
      },
    };
  };

export const get = step("GET");
export const head = step("HEAD");
export const post = step("POST");
export const put = step("PUT");
export const del = step("DELETE");
export const options = step("OPTIONS");

/** The image that both engines have. */
export const IMAGE = "cais-peer:1";

/** `containers/create` of the image without a network of its own. */
export const create = (name: string, config: object = {}, host: object = {}, options: Options = {}): Step =>
  post(`/containers/create?name=${name}`, {
    ...options,
    body: { Image: IMAGE, Cmd: ["sleep", "1000"], ...config, HostConfig: { NetworkMode: "none", ...host } },
  });

/** A container that is there for the steps after it; not compared. */
export const scene = (name: string, config: object = {}, host: object = {}): Step =>
  create(name, config, host, { silent: true });

/** Takes it away again; not compared. */
export const gone = (name: string): Step => del(`/containers/${name}?force=1&v=1`, { silent: true });

import http from "node:http";
import { createInterface } from "node:readline";

interface Event {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
}

/** The events of an engine from now on. */
export interface EventStream extends Disposable {
  /** The next event whose action is this, and those that came before it. */
  until(action: string): Promise<readonly Event[]>;
}

/** Resolves once the engine has answered, so that what is done next is not missed. */
export async function openEvents(socket: string, type = "container"): Promise<EventStream> {
  const filters = encodeURIComponent(JSON.stringify({ type: [type] }));
  const answer = await new Promise<http.IncomingMessage>((resolve, reject) => {
    http.get({ socketPath: socket, path: `/events?filters=${filters}` }, resolve).on("error", reject);
  });
  const lines = createInterface({ input: answer })[Symbol.asyncIterator]();
  return {
    async until(action) {
      const seen: Event[] = [];
      for (;;) {
        const { value, done } = await lines.next();
        if (done) throw new Error(`The events ended before ${action}; seen: ${seen.map((e) => e.Action)}`);
        const event = JSON.parse(value) as Event;
        seen.push(event);
        if (event.Action === action) return seen;
      }
    },
    [Symbol.dispose]: () => answer.destroy(),
  };
}

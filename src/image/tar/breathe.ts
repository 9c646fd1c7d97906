import { setImmediate as turn } from "node:timers/promises";

/** How long work may keep the event loop from other requests, in milliseconds. */
const SLICE = 8;

/** Returns a function to call between small pieces of synchronous work: it lets others run every few milliseconds. */
export function breather(): () => Promise<void> | undefined {
  let since = performance.now();
  return () => {
    if (performance.now() - since < SLICE) return undefined;
    return turn().then(() => {
      since = performance.now();
    });
  };
}
